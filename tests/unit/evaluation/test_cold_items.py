import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.core.scoring import Scores
from recsys.evaluation.cold_items import evaluate_cold_items, only_items
from recsys.evaluation.held_out import TestSet
from recsys.training.content.alike import popularity_of_alike
from recsys.training.content.blend import with_content
from recsys.training.content.features import content_matrix
from tests.unit.training.content.shop import a_taste_shop

# Items 2 and 3 are cold; user 3 is a stranger, item 4 is not in the catalogue.
COLD = np.array([False, False, True, True])
POPULARITY = np.array([9, 8, 1, 2])


def a_test() -> TestSet:
    users, items = np.array([0, 0, 1, 2, 3, 0]), np.array([2, 0, 3, 1, 2, 4])
    return TestSet.from_pairs(users, items, known_users=3, known_items=4)


def two_first(users: NDArray[np.int64]) -> Scores:
    return np.tile(np.array([9, 8, 7, 6], np.float32), (len(users), 1))


def test_only_known_users_and_cold_items_are_judged() -> None:
    test = only_items(a_test(), COLD)
    assert test.pair_users.tolist() == [0, 1]
    assert test.items.tolist() == [2, 3]


def test_cold_items_are_ranked_among_themselves() -> None:
    reports = evaluate_cold_items(two_first, a_test(), COLD, POPULARITY, seed=1, k=1)
    # The model's first cold item is 2, which user 0 wanted; that of popularity is user 1's.
    assert reports["model"].per_user["ndcg_at_1"].tolist() == [1, 0]
    assert reports["popularity"].per_user["ndcg_at_1"].tolist() == [0, 1]
    assert set(reports) == {"model", "popularity", "random"}


def test_what_is_not_scored_is_not_listed() -> None:
    def nothing(users: NDArray[np.int64]) -> Scores:
        return np.full((len(users), 4), -np.inf, np.float32)

    reports = evaluate_cold_items(nothing, a_test(), COLD, POPULARITY, seed=1)
    assert reports["model"].means["ndcg_at_20"] == 0


def test_a_random_ranking_hits_by_chance_and_the_same_way_for_the_same_seed() -> None:
    users, items = np.arange(2000), np.arange(2000) % 50
    test = TestSet.from_pairs(users, items, known_users=2000, known_items=50)
    cold = np.ones(50, np.bool_)

    def random_recall(seed: int) -> float:
        reports = evaluate_cold_items(
            lambda users: np.zeros((len(users), 50), np.float32), test, cold, cold, seed, k=10
        )
        return reports["random"].means["recall_at_10"]

    assert random_recall(1) == pytest.approx(10 / 50, abs=0.03)
    assert random_recall(1) == random_recall(1)


def test_without_a_wanted_cold_item_there_are_no_metrics() -> None:
    none_cold = np.zeros(4, np.bool_)
    reports = evaluate_cold_items(two_first, a_test(), none_cold, POPULARITY, seed=1)
    assert reports["model"].means == {}


def test_content_beats_popularity_and_chance_where_category_is_taste() -> None:
    shop = a_taste_shop()
    user_factors, item_factors = shop.factors()
    eligible = np.ones(len(shop.new), np.bool_)
    made = with_content(
        *(shop.content, shop.shoppers, item_factors, shop.neighbours()), ~eligible, eligible, seed=1
    )
    users, items = np.nonzero(np.arange(90)[:, None] % 3 == np.arange(60) % 3)
    expected = popularity_of_alike(content_matrix(shop.content), shop.shoppers)

    reports = evaluate_cold_items(
        lambda rows: user_factors[rows] @ made.factors.T,
        TestSet.from_pairs(users, items, 90, 60),
        shop.new,
        expected,
        seed=1,
        k=2,
    )

    assert reports["model"].means["ndcg_at_2"] > 0.99
    assert reports["popularity"].means["ndcg_at_2"] < 0.6
    assert reports["random"].means["ndcg_at_2"] < 0.6
