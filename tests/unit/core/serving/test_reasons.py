"""Reasons of items: the parts of each score, and who explains it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.behaviour import StoredUser
from recsys.core.current_history import session_history
from recsys.core.model import History
from recsys.core.scoring import score_users
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.generators import Query
from recsys.core.serving.lists import NO_LIST, FallbackLevel, Recommendations
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import personal_list
from recsys.core.serving.pipeline import recommend
from recsys.core.serving.reasons import with_reasons
from recsys.core.serving.request import FOR_ITEM, FOR_USER
from recsys.core.user_factors import history_factors
from tests.builders import a_history, an_item_model, scoring_params

N = 20
PARAMS = scoring_params(neighbour_weight=0.7, step_half_life=3.0)
ITEMS = an_item_model(N, k=4, trend=np.linspace(0.5, 2, N).astype(np.float32))
MODEL = ServingModel.of(ITEMS, PARAMS)


def explained(
    history: History, model: ServingModel = MODEL, limit: int = N, bought: bool = False
) -> Recommendations:
    personal = personal_list(model, None, history, limit, Scratch())
    query = Query(model, personal, bought=history.items.tolist() if bought else ())
    return with_reasons(query, recommend(query, FOR_USER, limit))


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.sets(st.integers(0, N - 1), max_size=3))
def test_the_parts_of_every_item_add_up_to_its_score_also_of_items_that_are_back(
    seed: int, length: int, back: set[int]
) -> None:
    random = np.random.default_rng(seed)
    had = random.choice(N, length, replace=False)
    history = a_history(
        had,
        random.uniform(-1, 2, length),
        random.random(length) < 0.5,
        random.integers(0, 9, length),
    )
    eligible = np.ones(N, np.bool_)
    eligible[list(back)] = False
    model = ServingModel.of(replace(ITEMS, eligible=eligible), PARAMS, back=back)
    personal = personal_list(model, None, history, N, Scratch())
    query = Query(model, personal)
    answer = recommend(query, FOR_USER, N)
    found = with_reasons(query, answer)
    assert [e.item_index for e in found.ranked] == [e.item_index for e in answer.ranked]
    for before, after, reason in zip(answer.ranked, found.ranked, found.reasons, strict=True):
        if before.score is None:
            assert (after.score, reason.score_parts) == (None, {})
        else:
            assert sum(reason.score_parts.values()) == pytest.approx(after.score)
            assert after.score == pytest.approx(before.score, rel=1e-3, abs=1e-4)


def test_scores_are_those_of_the_whole_model() -> None:
    history = a_history([7, 2, 4])
    factors = history_factors(ITEMS, PARAMS, history)[np.newaxis]
    [scores] = score_users(factors, ITEMS, [history], 0.7, 3.0)
    for entry in explained(history).ranked:
        assert entry.score == pytest.approx(scores[entry.item_index], rel=1e-4, abs=1e-5)


def test_the_seeds_are_what_explains_most_and_say_whether_they_were_bought() -> None:
    """Item 3 is the nearest neighbour of item 2, by which nearly all of its score comes."""
    model = ServingModel.of(ITEMS, replace(PARAMS, neighbour_weight=1000.0))
    history = a_history([2, 11, 15], [1.0, 0.1, 0.1])
    for bought, code in ((True, "because_you_bought"), (False, "because_you_viewed")):
        found = explained(history, model, bought=bought)
        [place] = [n for n, entry in enumerate(found.ranked) if entry.item_index == 3]
        assert found.reasons[place].code == code
        assert found.reasons[place].seeds[0] == 2
        assert len(found.reasons[place].seeds) <= 3


def test_a_long_history_of_equal_parts_is_a_taste() -> None:
    alike = replace(ITEMS, factors=np.ones_like(ITEMS.factors))
    model = ServingModel.of(alike, replace(PARAMS, neighbour_weight=0.0))
    found = explained(a_history(list(range(10))), model)
    assert {reason.code for reason in found.reasons} == {"similar_users"}


def test_fillers_and_items_of_a_product_page_say_what_they_are() -> None:
    query = Query(MODEL, personal_list(MODEL, None, History.empty(), 5, Scratch()), seed=4)
    found = with_reasons(query, recommend(query, FOR_ITEM, 5))
    assert [reason.code for reason in found.reasons] == ["similar_to_item"] * 2 + ["popular"] * 3
    assert [reason.seeds for reason in found.reasons[:3]] == [(4,), (4,), ()]
    assert found.reasons[0].score_parts == {"neighbours": pytest.approx(0.9)}
    assert found.fallback_level is FallbackLevel.FILLED


def test_a_session_was_looked_at() -> None:
    model = ServingModel.of(ITEMS, replace(PARAMS, neighbour_weight=1000.0))
    found = explained(session_history(ITEMS.ids.index_of, ["i2"]), model, limit=2)
    assert {reason.code for reason in found.reasons} == {"because_you_viewed"}


def test_a_stored_list_keeps_its_order_and_gets_scores_of_full_precision() -> None:
    history = a_history([2, 11])
    fresh = personal_list(MODEL, None, history, 5, Scratch())
    stored = StoredUser(fresh.items, fresh.scores.astype(np.float16).astype(np.float32), history)
    query = Query(MODEL, personal_list(MODEL, stored, history, 5, Scratch()))
    found = with_reasons(query, recommend(query, FOR_USER, 5))
    assert [entry.item_index for entry in found.ranked] == fresh.items.tolist()
    assert [entry.score for entry in found.ranked] == pytest.approx(fresh.scores.tolist(), rel=1e-4)


@pytest.mark.parametrize(
    ("had", "limit", "level"),
    [
        ([2], 3, FallbackLevel.NONE),
        ([], 3, FallbackLevel.REPLACED),
        (list(range(N)), 3, FallbackLevel.REPLACED),
    ],
)
def test_the_fallback_level_says_how_far_items_are_from_the_first_generator(
    had: list[int], limit: int, level: FallbackLevel
) -> None:
    assert explained(a_history(had), limit=limit).fallback_level is level


def test_what_completes_a_basket_names_the_items_that_it_goes_with() -> None:
    query = Query(MODEL, NO_LIST, session=[3, 0, 1])
    answer = with_reasons(query, recommend(query, ["bought_together"], 2))
    found = [
        (e.item_index, r.code, r.seeds) for e, r in zip(answer.ranked, answer.reasons, strict=True)
    ]
    # Of 0: 2, then 1; of 1: 3, then 2; of 3: 5, then 4.
    assert found == [(2, "bought_together", (0, 1)), (5, "bought_together", (3,))]
    assert answer.reasons[0].score_parts == {"bought_together": answer.ranked[0].score}
