import numpy as np
import pytest

from recsys.training.evaluation import TestSet, coverage, evaluate, ndcg_at_k, recall_at_k


def test_recall_counts_hits_of_the_relevant_ones() -> None:
    assert recall_at_k(np.array([4, 1, 7], np.int32), np.array([1, 7, 8, 9], np.int32), 2) == 0.25


def test_ndcg_is_one_when_all_relevant_items_come_first() -> None:
    assert ndcg_at_k(np.array([3, 5, 1], np.int32), np.array([5, 3], np.int32), 3) == 1.0


def test_ndcg_of_a_hit_at_the_second_place() -> None:
    found = ndcg_at_k(np.array([0, 5], np.int32), np.array([5], np.int32), 2)
    assert found == pytest.approx(1 / np.log2(3))


def test_coverage_is_the_share_of_eligible_items_shown() -> None:
    lists = [np.array([0, 1], np.int32), np.array([1, 2], np.int32)]
    assert coverage(lists, np.array([True] * 6)) == 0.5


def test_without_test_users_there_is_no_metric_rather_than_zero() -> None:
    nobody = TestSet(np.empty(0, np.int64), [])
    assert evaluate(lambda users: np.empty((0, 3), np.float32), nobody, np.ones(3, np.bool_)) == {}
