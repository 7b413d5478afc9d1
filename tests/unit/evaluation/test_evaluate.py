import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.errors import InvalidInput
from recsys.core.scoring import Scores
from recsys.evaluation import (
    NO_ITEM,
    Behaviour,
    TestSet,
    evaluate,
    evaluate_lists,
    paired_difference,
    top_k_lists,
)
from recsys.evaluation import report as report_module
from recsys.evaluation.ranked_lists import MAX_SCORES_PER_BLOCK, users_per_block

USERS, ITEMS = 30, 12
SCORES = np.random.default_rng(1).random((USERS, ITEMS)).astype(np.float32)


def score(users: NDArray[np.int64]) -> Scores:
    return SCORES[users].copy()


def a_test_set(seed: int = 2) -> TestSet:
    random = np.random.default_rng(seed)
    users, items = random.integers(USERS, size=60), random.integers(ITEMS + 2, size=60)
    return TestSet.from_pairs(users, items, USERS, ITEMS)


def a_behaviour(seed: int = 3) -> Behaviour:
    matrix = csr_matrix(np.random.default_rng(seed).random((USERS, ITEMS)) < 0.4, dtype=np.float32)
    return Behaviour(matrix, np.ones(ITEMS, np.bool_))


def test_lists_are_the_best_items_in_order() -> None:
    test = a_test_set()
    expected = np.argsort(-SCORES[test.users], axis=1)[:, :5]
    assert np.array_equal(top_k_lists(score, test, 5), expected)


def test_what_is_masked_is_in_no_list_and_its_place_stays_empty() -> None:
    def only_two_items(users: NDArray[np.int64]) -> Scores:
        found = score(users)
        found[:, 2:] = -np.inf
        return found

    lists = top_k_lists(only_two_items, a_test_set(), 4)
    assert set(lists[:, :2].ravel()) == {0, 1}
    assert (lists[:, 2:] == NO_ITEM).all()


def test_memory_of_a_block_is_bounded_however_many_items_there_are() -> None:
    assert users_per_block(10) == 1024
    assert users_per_block(1_000_000) * 1_000_000 <= MAX_SCORES_PER_BLOCK
    assert users_per_block(MAX_SCORES_PER_BLOCK * 2) == 1


def test_blocks_do_not_show_in_the_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, told = top_k_lists(score, a_test_set(), 5), []
    monkeypatch.setattr("recsys.evaluation.ranked_lists.MAX_USERS_PER_BLOCK", 7)
    test = a_test_set()
    assert np.array_equal(top_k_lists(score, test, 5, told.append), whole)
    assert told == [*range(7, len(test), 7), len(test)]


def test_metrics_carry_their_k_and_means_are_over_users() -> None:
    report = evaluate(score, a_test_set(), a_behaviour(), k=5)
    assert set(report.means) == {
        f"{name}_at_5"
        for name in (
            "recall", "ndcg", "map", "mrr", "hit_rate", "precision",
            "novelty", "diversity", "coverage", "gini",
        )
    }  # fmt: skip
    assert report.means["ndcg_at_5"] == report.per_user["ndcg_at_5"].mean()


def test_means_alone_take_no_resampling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search for settings asks for thousands of means and no interval."""
    found = evaluate(score, a_test_set())
    monkeypatch.setattr(report_module, "mean_interval", None)
    assert found.means["ndcg_at_20"] == found.per_user["ndcg_at_20"].mean()


def test_without_behaviour_there_are_ranking_metrics_only() -> None:
    assert set(evaluate(score, a_test_set()).of_lists) == set()


def test_without_test_users_there_is_no_metric_rather_than_zero() -> None:
    nobody = TestSet.from_pairs(np.empty(0, np.int64), np.empty(0, np.int64), USERS, ITEMS)
    report = evaluate(score, nobody, a_behaviour())
    assert report.means == {}
    assert report.minus(report) == {}


def test_a_model_that_knows_the_future_is_perfect() -> None:
    test = TestSet.from_pairs(np.arange(USERS), np.arange(USERS) % ITEMS, USERS, ITEMS)

    def oracle(users: NDArray[np.int64]) -> Scores:
        return np.eye(ITEMS, dtype=np.float32)[users % ITEMS]

    means = evaluate(oracle, test, k=3).means
    assert [means[f"{name}_at_3"] for name in ("recall", "ndcg", "map", "mrr")] == [1] * 4


def test_the_difference_of_two_models_is_taken_user_by_user() -> None:
    test = a_test_set()
    ours, theirs = evaluate(score, test), evaluate(lambda users: -score(users), test)
    name = "ndcg_at_20"
    assert ours.minus(theirs)[name] == paired_difference(ours.per_user[name], theirs.per_user[name])


def test_the_difference_is_of_the_metrics_that_both_have() -> None:
    with_lists = evaluate(score, a_test_set(), a_behaviour(), k=(5, 10))
    without = evaluate(score, a_test_set(), k=10)
    assert set(with_lists.minus(without)) == set(without.minus(with_lists)) == set(without.per_user)


def test_a_cut_off_may_come_from_an_array() -> None:
    test = a_test_set()
    expected = evaluate(score, test, k=(5, 10)).means
    assert evaluate(score, test, k=np.array([5, 10])).means == expected  # type: ignore[arg-type]
    some = evaluate(score, test, k=np.int64(5)).means  # type: ignore[arg-type]
    assert some["recall_at_5"] == expected["recall_at_5"]


@pytest.mark.parametrize("k", [0, -1, (), (10, 0)])
def test_a_cut_off_is_one_or_more(k: int | tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="k: must be 1 or more"):
        evaluate(score, a_test_set(), k=k)


def test_models_judged_by_other_users_cannot_be_compared() -> None:
    test = a_test_set()
    some = test.only(np.arange(len(test)) > 0)
    with pytest.raises(InvalidInput, match="the same"):
        evaluate(score, test).minus(evaluate(score, some))


def test_longer_lists_are_judged_by_their_first_places() -> None:
    test = a_test_set()
    long, short = (top_k_lists(score, test, k) for k in (10, 4))
    assert (
        evaluate_lists(long, test, a_behaviour(), 4).means
        == evaluate_lists(short, test, a_behaviour(), 4).means
    )


def test_shorter_lists_miss_at_the_places_they_do_not_have() -> None:
    """So a catalogue of few items is judged under the same names."""
    test = a_test_set()
    lists = top_k_lists(score, test, 10)
    of_ten, of_twenty = evaluate_lists(lists, test, k=10).means, evaluate_lists(lists, test).means
    assert of_twenty["precision_at_20"] == of_ten["precision_at_10"] / 2
    assert of_twenty["recall_at_20"] == of_ten["recall_at_10"]


@pytest.mark.parametrize("count", [1, USERS])
def test_lists_of_other_users_than_those_of_the_test_are_refused(count: int) -> None:
    test = a_test_set()
    lists = np.tile(np.arange(5, dtype=np.int32), (count, 1))
    assert len(test) not in (1, USERS)
    with pytest.raises(InvalidInput, match=f"each of {len(test)} test users, not {count}"):
        evaluate_lists(lists, test, k=5)


def test_a_list_that_names_an_item_twice_is_refused() -> None:
    test = a_test_set()
    lists = np.full((len(test), 3), NO_ITEM, np.int32)
    assert evaluate_lists(lists, test).means["recall_at_20"] == 0
    lists[4] = [7, 1, 7]
    with pytest.raises(InvalidInput, match="twice"):
        evaluate_lists(lists, test)


def test_diversity_of_many_lists_is_that_of_some_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    test, behaviour = a_test_set(), a_behaviour()
    whole = evaluate(score, test, behaviour, k=5).per_user["diversity_at_5"]
    monkeypatch.setattr("recsys.evaluation.report.DIVERSITY_LISTS", 4)
    some = evaluate(score, test, behaviour, k=5).per_user["diversity_at_5"]
    judged = ~np.isnan(some)
    assert judged.sum() == 4
    assert some[judged] == pytest.approx(whole[judged])


def test_each_cut_off_has_the_metrics_it_would_have_alone() -> None:
    """And lists are ranked once, at the largest."""
    test, behaviour, ranked = a_test_set(), a_behaviour(), []

    def counted(users: NDArray[np.int64]) -> Scores:
        ranked.append(len(users))
        return score(users)

    together = evaluate(counted, test, behaviour, k=(7, 3, 7, 15))
    assert sum(ranked) == len(test)
    alone = [evaluate(score, test, behaviour, k=k) for k in (7, 3, 15)]
    assert together.means == {n: v for report in alone for n, v in report.means.items()}
    assert list(together.per_user)[:2] == ["recall_at_7", "ndcg_at_7"]
