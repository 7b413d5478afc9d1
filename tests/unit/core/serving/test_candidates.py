"""Lists from candidates against those of all items, and what they must never hold."""

import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.fold_in import fold_in
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.ranking import Indices, top_n
from recsys.core.recency import faded
from recsys.core.scoring import Scores, score_users, sum_of_neighbours
from recsys.core.serving import candidates, personal
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.lists import PersonalList
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, fold_in_list, neighbour_list
from recsys.core.user_factors import user_lambda
from tests.builders import a_history, an_item_model, scoring_params


class Shop(NamedTuple):
    items: ItemModel
    params: ScoringParams
    users: list[ActiveUser]
    hidden: set[int]

    @property
    def model(self) -> ServingModel:
        return ServingModel.of(self.items, self.params, self.hidden)


def a_shop(n: int, seed: int, step_half_life: float | None) -> Shop:
    """n items with three neighbours each and five users, all at random."""
    random = np.random.default_rng(seed)
    neighbours = random.integers(-1, n, (n, 3)).astype(np.int32)
    scores = np.where(neighbours == -1, 0, random.random((n, 3))).astype(np.float32)
    items = an_item_model(
        n,
        k=4,
        seed=seed,
        neighbours=neighbours,
        neighbour_scores=scores,
        order_shares=np.zeros((n, 3), np.float16),
        trend=random.uniform(0.5, 2, n).astype(np.float32),
        popular=random.permutation(n).astype(np.int32),
        eligible=random.random(n) < 0.8,
    )
    params = scoring_params(neighbour_weight=0.7, step_half_life=step_half_life)
    users = [
        ActiveUser(
            some_history(random, n), random.choice(n, min(n, 4), replace=False).astype(np.int32)
        )
        for _ in range(5)
    ]
    hidden = set(np.flatnonzero(random.random(n) < 0.2).tolist())
    return Shop(items, params, users, hidden)


def some_history(random: np.random.Generator, n: int) -> History:
    size = int(random.integers(1, min(n, 12)))
    strengths = random.uniform(-1, 2, size)
    strengths[0] = 1.0
    rows = random.choice(n, size, replace=False)
    steps = random.integers(0, 4, size)
    return a_history(rows, strengths, random.random(size) < 0.5, steps)


SHOPS = st.builds(a_shop, st.integers(3, 80), st.integers(0, 10_000), st.sampled_from([None, 2.0]))


def exact_scores(shop: Shop, history: History) -> Scores:
    """Scores of all items by the system of k equations: the oracle."""
    items, params = shop.items, shop.params
    left = faded(history, params.step_half_life)
    liked = left.strengths > 0
    factors = fold_in(
        items.factors[left.items[liked]],
        items.gramian,
        left.strengths[liked],
        alpha=params.alpha,
        row_regularization=user_lambda(items, params, left.strengths[liked]),
    )
    [scores] = score_users(
        *(factors[np.newaxis], items, [history], params.neighbour_weight, params.step_half_life)
    )
    scores[list(shop.hidden)] = -np.inf
    return scores


def lists_of(shop: Shop, n: int) -> list[PersonalList]:
    scratch = Scratch()
    return [fold_in_list(shop.model, user, n, scratch) for user in shop.users]


@given(SHOPS, st.integers(1, 30))
def test_where_all_items_are_candidates_a_list_is_that_of_all_items(shop: Shop, n: int) -> None:
    for user, found in zip(shop.users, lists_of(shop, n), strict=True):
        scores = exact_scores(shop, user.history)
        expected = scores[top_n(scores, n)]
        assert found.scores == pytest.approx(expected, rel=1e-4, abs=1e-5)
        # Two ways to add up floats may order what is all but equal in two ways.
        assert scores[found.items] == pytest.approx(expected, rel=1e-4, abs=1e-5)


@given(SHOPS, st.integers(1, 30))
def test_a_list_of_few_candidates_scores_them_as_all_items_are_scored(shop: Shop, n: int) -> None:
    with pytest.MonkeyPatch.context() as few:
        few.setattr(candidates, "MAX_POPULAR", 5)
        few.setattr(personal, "MAX_NEIGHBOURS", 3)
        lists = lists_of(shop, n)
    for user, found in zip(shop.users, lists, strict=True):
        shown = found.items.tolist()
        scores = exact_scores(shop, user.history)
        assert len(shown) == len(set(shown)) <= n
        assert np.isfinite(scores[shown]).all()
        assert found.scores == pytest.approx(scores[shown], rel=1e-4, abs=1e-5)
        assert (np.diff(found.scores) <= 0).all()


@given(SHOPS)
def test_neighbours_are_those_of_all_items(shop: Shop) -> None:
    model = shop.model
    for user in shop.users:
        found = neighbour_list(model, user, 10, Scratch())
        left = faded(user.history, shop.params.step_half_life)
        items = shop.items
        sums = sum_of_neighbours(items.neighbours, items.neighbour_scores, left)
        scores = sums * items.trend
        scores[(scores <= 0) | ~model.shown] = -np.inf
        scores[left.items[left.excluded]] = -np.inf
        assert found.items.tolist() == top_n(scores, 10).tolist()


def alone(items: ItemModel, user: ActiveUser, n: int, hidden: set[int] | None = None) -> Indices:
    model = ServingModel.of(items, scoring_params(neighbour_weight=0.7), hidden or ())
    return fold_in_list(model, user, n, Scratch()).items


def test_equal_scores_are_ordered_by_item_wherever_they_come_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(candidates, "MAX_POPULAR", 3)
    items = an_item_model(
        9,
        factors=np.ones((9, 3), np.float32),
        popular=np.array([7, 2, 5, 0, 1, 3, 4, 6, 8], np.int32),
        neighbour_scores=np.zeros((9, 2), np.float32),
    )
    user = ActiveUser(a_history([4]), np.array([8, 0, 6], np.int32))
    assert alone(items, user, 5).tolist() == [0, 2, 5, 6, 7]


def test_what_was_only_looked_at_is_a_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "MAX_POPULAR", 1)
    looked_at = ActiveUser(a_history([3], excluded=False), np.empty(0, np.int32))
    bought = ActiveUser(a_history([3]), np.empty(0, np.int32))
    items = an_item_model(50, neighbour_scores=np.zeros((50, 2), np.float32))
    assert 3 in alone(items, looked_at, 10)
    assert 3 not in alone(items, bought, 10)


def test_the_stored_list_is_a_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "MAX_POPULAR", 1)
    user = ActiveUser(a_history([3]), np.array([20, 3, 30], np.int32))
    found = alone(an_item_model(50), user, 50, hidden={30}).tolist()
    # The neighbours of 3, the most popular item, and what of the list may be shown.
    assert sorted(found) == [4, 5, 20, 49]


def test_hidden_items_leave_their_place_among_the_popular_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(candidates, "MAX_POPULAR", 3)
    # 49 is the most popular.
    model = ServingModel.of(an_item_model(50), scoring_params(), {49, 47, 3})
    assert model.eligible.popular.tolist() == [45, 46, 48]


def test_a_filter_that_leaves_few_items_is_answered_from_all_of_them() -> None:
    items = an_item_model(3000)
    mask = np.zeros(3000, np.bool_)
    mask[::7] = True
    few = ServingModel.of(items, scoring_params()).where(mask)
    assert few.eligible.popular.tolist() == list(range(0, 3000, 7))


def test_a_list_takes_no_memory_of_the_size_of_the_catalogue() -> None:
    n = 400_000
    model, scratch = ServingModel.of(an_item_model(n), scoring_params()), Scratch()
    users = [ActiveUser(a_history(range(row, n, 50_000)), np.arange(9)) for row in (1, 2)]
    for user in users:
        fold_in_list(model, user, 100, scratch)
    tracemalloc.start()
    for user in users:
        fold_in_list(model, user, 100, scratch)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < n
