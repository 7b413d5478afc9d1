"""Items that are back: their places in lists are those that their scores have."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.core.model import NO_NEIGHBOUR, History, ItemModel
from recsys.core.recency import faded
from recsys.core.scoring import score_users
from recsys.core.serving import added as added_module
from recsys.core.serving.added import AddedItems
from recsys.core.serving.lists import NO_LIST, PersonalList, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import with_returned
from recsys.core.serving.pipeline import similar_items
from recsys.core.user_factors import history_factors
from tests.builders import a_history, an_item_model, scoring_params

N, LIMIT = 30, 20
PARAMS = scoring_params(neighbour_weight=0.7, step_half_life=2.0)
BACK = frozenset({3, 11, 12, 29})


def symmetric(items: ItemModel) -> ItemModel:
    """With lists of neighbours in which whoever is alike to an item has it among its own."""
    random = np.random.default_rng(4)
    alike = random.uniform(0.1, 1, (N, N)).astype(np.float32)
    alike = (alike + alike.T) / 2
    np.fill_diagonal(alike, -1)
    order = np.argsort(-alike, axis=1)[:, : N - 1].astype(np.int32)
    return replace(
        items,
        neighbours=order,
        neighbour_scores=np.take_along_axis(alike, order, axis=1),
        order_shares=np.zeros(order.shape, np.float16),
        trend=random.uniform(0.5, 2, N).astype(np.float32),
    )


EVERYTHING = symmetric(an_item_model(N, 4))


def without(items: ItemModel, rows: frozenset[int]) -> ItemModel:
    """The model as it would have been trained while these items could not be bought."""
    eligible, hidden = items.eligible.copy(), np.isin(items.neighbours, list(rows))
    eligible[list(rows)] = False
    order = np.argsort(hidden, axis=1, kind="stable")
    neighbours = np.where(hidden, NO_NEIGHBOUR, items.neighbours)
    scores = np.where(hidden, 0, items.neighbour_scores)
    return replace(
        items,
        eligible=eligible,
        neighbours=np.take_along_axis(neighbours, order, axis=1),
        neighbour_scores=np.take_along_axis(scores, order, axis=1),
    )


TRAINED = without(EVERYTHING, BACK)
WITH_BACK = ServingModel.of(TRAINED, PARAMS, back=BACK)


def exact(items: ItemModel, history: History) -> PersonalList:
    vector = history_factors(items, PARAMS, history)
    [scores] = score_users(
        vector[np.newaxis], items, [history], PARAMS.neighbour_weight, PARAMS.step_half_life
    )
    best = np.argsort(-scores, kind="stable")[: min(LIMIT, np.isfinite(scores).sum())]
    return PersonalList(best.astype(np.int32), scores[best], Source.STORED, history)


@pytest.mark.parametrize("seed", range(5))
def test_a_list_is_that_of_a_model_that_knew_the_items_to_be_on_offer(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.choice(sorted(set(range(N)) - BACK), 6, replace=False).tolist()
    history = a_history(rows, random.uniform(0.2, 2, 6).tolist(), random.random(6) < 0.5, range(6))
    found = with_returned(WITH_BACK, exact(TRAINED, history), LIMIT)

    expected = exact(EVERYTHING, history)
    assert found.items.tolist() == expected.items.tolist()
    assert found.scores == pytest.approx(expected.scores, rel=1e-4)
    assert found.source is Source.STORED


def test_what_a_shopper_must_not_see_again_does_not_come_back() -> None:
    history = a_history([3, 5], excluded=True)
    found = with_returned(WITH_BACK, exact(TRAINED, history), N)
    assert 3 not in found.items
    assert {11, 12, 29} <= set(found.items.tolist())


def test_a_shopper_of_whom_nothing_counts_has_no_list_to_put_them_into() -> None:
    assert with_returned(WITH_BACK, NO_LIST, LIMIT) is NO_LIST


def test_items_that_are_back_are_among_those_alike_to_others() -> None:
    expected = similar_items(ServingModel.of(EVERYTHING, PARAMS), 0, 20)
    assert BACK & {entry.item_index for entry in expected.ranked}
    assert similar_items(WITH_BACK, 0, 20) == expected
    assert similar_items(ServingModel.of(TRAINED, PARAMS), 0, 20) != expected


def test_items_without_factors_have_no_score() -> None:
    factors = TRAINED.factors.copy()
    factors[11] = 0
    returned = AddedItems.returned(replace(TRAINED, factors=factors), BACK)
    assert returned.rows.tolist() == [3, 12, 29]


def test_of_very_many_the_most_popular_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(added_module, "MAX_ADDED", 2)
    assert AddedItems.returned(TRAINED, BACK).rows.tolist() == [29, 12]


def test_an_offer_leaves_the_trained_model_as_it_is_and_shares_what_was_calculated() -> None:
    trained = without(an_item_model(N, 4), BACK)
    assert not trained.recommendable[11]
    spectrum = trained.spectrum
    offered = trained.offering([11])
    assert offered.eligible[11]
    assert offered.recommendable[11]
    assert not trained.eligible[11]
    assert not trained.recommendable[11]
    assert offered.spectrum is spectrum
    assert offered.factors is trained.factors


def test_sums_are_those_of_the_lists_read_the_other_way_round() -> None:
    history = faded(a_history([0, 7, 9], [1.0, 2.0, 0.5]), None)
    returned = AddedItems.returned(TRAINED, BACK)
    by_row = dict(zip(returned.rows.tolist(), returned.neighbour_sums(history), strict=True))
    for row in BACK:
        alike = dict(
            zip(TRAINED.neighbours[row].tolist(), TRAINED.neighbour_scores[row], strict=True)
        )
        expected = 1.0 * alike.get(0, 0) + 2.0 * alike.get(7, 0) + 0.5 * alike.get(9, 0)
        assert by_row[row] == pytest.approx(expected, rel=1e-5)
