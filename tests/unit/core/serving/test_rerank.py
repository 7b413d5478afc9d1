"""Caps, boosts, diversity and pins: the order of an answer by its controls."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.catalogue import CatalogueColumns, CatalogueRow
from recsys.core.serving import rerank as rerank_module
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.controls import Boost, Controls, Pin
from recsys.core.serving.diversity import intra_list_distance, unit_vectors
from recsys.core.serving.generators import Query
from recsys.core.serving.lists import NO_LIST, PinnedItem, Ranked, Recommendations, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import personal_list
from recsys.core.serving.pipeline import recommend
from recsys.core.serving.request import FOR_USER
from recsys.core.serving.rerank import falling_relevance
from recsys.core.serving.row_catalogue import RowCatalogue
from tests.builders import a_history, an_item_model, scoring_params

N = 60
PARAMS = scoring_params(neighbour_weight=0.7)


def a_model(seed: int = 0, n: int = N, groups: int = 4, hidden: Sequence[int] = ()) -> ServingModel:
    """n items; item i has the brand b(i mod groups), category c(i mod groups) and price i."""
    items = an_item_model(n, k=4, seed=seed)
    columns = CatalogueColumns()
    columns.update(
        {
            f"i{row}": CatalogueRow(
                None, float(row), True, ("all", f"c{row % groups}"), f"b{row % groups}"
            )
            for row in range(n)
        }
    )
    catalogue = RowCatalogue(n)
    catalogue.follow(columns)
    for row in range(n):
        catalogue.place(row, f"i{row}")
    return ServingModel.of(items, PARAMS, hidden=hidden, catalogue=catalogue)


MODEL = a_model()


def asked(
    controls: Controls | None,
    model: ServingModel = MODEL,
    limit: int = 10,
    had: Sequence[int] = (3, 8),
    pinned: Sequence[PinnedItem] = (),
) -> Recommendations:
    personal = personal_list(model, None, a_history(list(had)), 100, Scratch())
    query = Query(model, personal, pinned=pinned, excluded={1})
    return recommend(query, FOR_USER, limit, controls)


def rows(answer: Recommendations) -> list[int]:
    return [entry.item_index for entry in answer.ranked]


def test_nothing_asked_changes_nothing() -> None:
    assert rows(asked(Controls())) == rows(asked(None))


@pytest.mark.parametrize("cap", ["max_per_category", "max_per_brand"])
def test_a_cap_keeps_the_best_of_each_group(cap: str) -> None:
    whole = rows(asked(None, limit=N))
    found = asked(Controls(**{cap: 2}), limit=8)
    kept, counts = [], Counter[int]()
    for row in whole:
        counts[row % 4] += 1
        if counts[row % 4] <= 2:
            kept.append(row)
    assert rows(found) == kept == rows(found)[:8]
    assert not found.is_relaxed


def test_what_exceeds_a_cap_fills_up_and_says_so_unless_it_is_strict() -> None:
    relaxed = asked(Controls(max_per_brand=2), limit=20)
    assert len(relaxed.ranked) == len(set(rows(relaxed))) == 20
    assert relaxed.is_relaxed
    strict = asked(Controls(max_per_brand=2, strict=True), limit=20)
    assert Counter(row % 4 for row in rows(strict)) == {0: 2, 1: 2, 2: 2, 3: 2}
    assert not strict.is_relaxed
    assert set(rows(strict)) <= set(rows(relaxed))


def test_items_without_a_brand_exceed_no_cap() -> None:
    bare = ServingModel.of(MODEL.items, PARAMS)
    assert rows(asked(Controls(max_per_brand=1), bare)) == rows(asked(None, bare))


def test_what_a_cap_leaves_is_found_far_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """No brand but one is among the first; the list is whole, and keeps to the cap."""
    monkeypatch.setattr(rerank_module, "MIN_POOL", 5)
    monkeypatch.setattr(rerank_module, "_POOL_PER_PLACE", 1)
    model = a_model(n=50, groups=25)
    found = asked(Controls(max_per_brand=1), model, limit=20)
    assert len(found.ranked) == 20
    assert not found.is_relaxed
    assert max(Counter(row % 25 for row in rows(found)).values()) == 1


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.integers(0, N))
def test_a_boosted_list_is_in_the_order_of_weighted_scores(
    seed: int, weight: float, bound: int
) -> None:
    model = a_model(seed)
    whole = [entry for entry in asked(None, model, 20).ranked if (entry.score or 0) > 0]
    controls = Controls(explain=True, boosts=(Boost(f"price < {bound}", weight, "cheap"),))
    found = asked(controls, model, 100)
    scored = {entry.item_index: entry.score for entry in found.ranked}
    for entry in whole:
        expected = (entry.score or 0) * (weight if entry.item_index < bound else 1)
        assert scored[entry.item_index] == pytest.approx(expected, rel=1e-3)
    order = [row for row in rows(found) if row in {entry.item_index for entry in whole}]
    values = [scored[row] or 0 for row in order]
    # Scores below a thousandth of the best count as that.
    best = whole[0].score or 0
    assert all(a >= b * 0.999 or b < best * 0.2 for a, b in pairwise(values))
    for entry, reason in zip(found.ranked, found.reasons, strict=True):
        assert sum(reason.score_parts.values()) == pytest.approx(entry.score or 0, abs=1e-4)
    assert found.rules == (("cheap",) if bound else ())


def test_a_buried_item_sinks_and_a_boosted_one_rises_among_popular_ones() -> None:
    query = Query(MODEL, NO_LIST)
    plain = rows(recommend(query, ["popular"], 10))
    sunk = Controls(boosts=(Boost(f"price = {plain[0]}", 0.1),))
    assert rows(recommend(query, ["popular"], 10, sunk)).index(plain[0]) > 5
    lifted = Controls(boosts=(Boost(f"price = {plain[9]}", 20),))
    assert rows(recommend(query, ["popular"], 10, lifted))[0] == plain[9]


def test_the_last_of_a_generator_stays_before_the_next_ones() -> None:
    entries = [Ranked(n, score, Source.FOLD_IN) for n, score in enumerate([2.0, 1.0, -1.0])]
    entries += [Ranked(9, 50.0, Source.NEIGHBOURS), Ranked(10, None, Source.POPULAR)]
    found = falling_relevance(entries)
    assert found.tolist() == pytest.approx([1, 0.5, 0.001, 0.001, 0.001])
    assert len(falling_relevance([])) == 0


def test_what_fills_up_behind_a_window_stays_behind_it() -> None:
    scores = [1.0, 0.25, None, None]
    entries = [Ranked(n, score, Source.POPULAR) for n, score in enumerate(scores)]
    assert falling_relevance(entries).tolist() == pytest.approx([1, 0.25, 0.25, 0.125])


def distance(model: ServingModel, answer: Recommendations) -> float:
    chosen = np.array(rows(answer), np.int32)
    return intra_list_distance(unit_vectors(model.items.factors, chosen))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
    st.lists(st.floats(0, 1), min_size=2, max_size=6),
    st.integers(0, 3),
    st.booleans(),
    st.sets(st.integers(0, N - 1), max_size=40),
)
def test_raising_diversity_never_lowers_the_distance_within_the_list(
    seed: int, limit: int, levels: list[float], cap: int, strict: bool, hidden: set[int]
) -> None:
    model = a_model(seed, hidden=sorted(hidden))
    pinned = [PinnedItem(seed % N, 2)]
    found = [
        asked(
            Controls(diversity=level, max_per_brand=cap, strict=strict, pins=(Pin("x", 2),)),
            model,
            limit,
            pinned=pinned,
        )
        for level in [0.0, *sorted(levels), 1.0]
    ]
    distances = [distance(model, answer) for answer in found]
    assert all(a <= b + 1e-6 for a, b in pairwise(distances))
    whole = set(rows(asked(None, model, N)))
    for answer in found:
        assert len(answer.ranked) == len(found[0].ranked)
        assert len(set(rows(answer))) == len(answer.ranked)
        assert set(rows(answer)) <= whole
        if cap and not answer.is_relaxed:
            groups = Counter(e.item_index % 4 for e in answer.ranked if e.source != Source.PINNED)
            assert max(groups.values(), default=0) <= cap


def test_diversity_makes_a_list_of_one_taste_more_diverse() -> None:
    assert distance(MODEL, asked(Controls(diversity=1.0))) > distance(MODEL, asked(None)) + 0.2


def test_a_pin_takes_its_position_and_leaves_the_others_in_order() -> None:
    plain = rows(asked(None, limit=10))
    far = rows(asked(None, limit=N))[-1]
    found = asked(Controls(pins=(Pin("x", 3),)), pinned=[PinnedItem(far, 3, "launch")])
    assert rows(found) == [*plain[:2], far, *plain[2:9]]
    assert found.ranked[2] == Ranked(far, None, Source.PINNED)
    assert (found.rules, found.source) == (("launch",), Source.FOLD_IN)


@pytest.mark.parametrize("row", [1, 3, 5])
def test_a_pin_shows_nothing_that_may_not_be_shown(row: int) -> None:
    """Excluded by the request, bought, hidden."""
    model = a_model(hidden=[5])
    found = asked(Controls(pins=(Pin("x", 1),)), model, pinned=[PinnedItem(row, 1, "pin")])
    assert row not in rows(found)
    assert found.rules == ()
    assert len(found.ranked) == 10


def test_pins_of_one_place_or_beyond_the_list_give_way() -> None:
    pinned = [PinnedItem(20, 1), PinnedItem(21, 1), PinnedItem(20, 4), PinnedItem(22, 50)]
    found = rows(asked(Controls(pins=(Pin("x", 1),)), pinned=pinned))
    assert found[0] == 20
    assert found.count(20) == 1
    pinned_rows = [
        e.item_index
        for e in asked(Controls(pins=(Pin("x", 1),)), pinned=pinned).ranked
        if e.source is Source.PINNED
    ]
    assert pinned_rows == [20]
