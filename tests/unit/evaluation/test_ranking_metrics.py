import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation.ranking_metrics import (
    RANKING_METRICS,
    average_precision_at_k,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)

# Three users, lists of four: hits at ranks 2 and 3, at 1, and nowhere.
HITS = np.array([[0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]], np.bool_)
RELEVANT = np.array([5, 1, 2])


def test_recall_is_over_all_relevant_items_also_where_they_are_more_than_k() -> None:
    assert recall_at_k(HITS, RELEVANT) == pytest.approx([2 / 5, 1, 0])


def test_precision_is_over_k() -> None:
    assert precision_at_k(HITS, RELEVANT) == pytest.approx([2 / 4, 1 / 4, 0])


def test_ndcg_compares_with_the_list_that_has_all_hits_first() -> None:
    ideal = 1 + 1 / np.log2(3) + 1 / 2 + 1 / np.log2(5)
    assert ndcg_at_k(HITS, RELEVANT) == pytest.approx([(1 / np.log2(3) + 1 / 2) / ideal, 1, 0])


def test_average_precision_is_over_what_a_list_of_k_can_hold() -> None:
    assert average_precision_at_k(HITS, RELEVANT) == pytest.approx([(1 / 2 + 2 / 3) / 4, 1, 0])


def test_reciprocal_rank_is_of_the_first_hit() -> None:
    assert reciprocal_rank_at_k(HITS, RELEVANT) == pytest.approx([1 / 2, 1, 0])


def test_hit_rate_asks_for_any_hit() -> None:
    assert hit_rate_at_k(HITS, RELEVANT).tolist() == [1, 1, 0]


@given(st.data())
def test_every_metric_lies_between_nothing_and_a_perfect_list(data: st.DataObject) -> None:
    hits = np.array([data.draw(st.lists(st.booleans(), min_size=1, max_size=8))])
    relevant = hits.sum(axis=1) + data.draw(st.integers(0 if hits.any() else 1, 9))
    for metric in RANKING_METRICS.values():
        assert 0 <= metric(hits, relevant)[0] <= 1 + 1e-12


@given(st.integers(1, 6), st.integers(1, 9))
def test_a_perfect_list_scores_one_but_for_what_is_over_all_relevant_items_or_k(
    k: int, relevant: int
) -> None:
    hits = (np.arange(k) < relevant)[np.newaxis]
    found = {name: of(hits, np.array([relevant]))[0] for name, of in RANKING_METRICS.items()}
    best = min(k, relevant)
    expected = dict.fromkeys(RANKING_METRICS, 1.0)
    expected |= {"recall": best / relevant, "precision": best / k}
    assert found == pytest.approx(expected)


def test_moving_a_hit_up_never_costs() -> None:
    late, early = np.array([[0, 0, 1]], np.bool_), np.array([[1, 0, 0]], np.bool_)
    for name in ("ndcg", "map", "mrr"):
        metric = RANKING_METRICS[name]
        assert metric(early, np.array([2]))[0] > metric(late, np.array([2]))[0]
