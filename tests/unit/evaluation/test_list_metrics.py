from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.evaluation import NO_ITEM
from recsys.evaluation.list_metrics import (
    coverage,
    exposure,
    gini,
    intra_list_diversity,
    novelty,
    self_information,
)

LISTS = np.array([[0, 1], [1, 2], [1, NO_ITEM]], np.int32)
ALL = np.ones(6, np.bool_)


def test_exposure_counts_the_lists_an_item_is_in() -> None:
    assert exposure(LISTS, 6).tolist() == [1, 3, 1, 0, 0, 0]


def test_coverage_is_the_share_of_eligible_items_shown() -> None:
    assert coverage(exposure(LISTS, 6), ALL) == 0.5
    assert coverage(exposure(LISTS, 6), np.array([0, 1, 0, 1, 0, 0], np.bool_)) == 0.5


def test_gini_is_zero_when_all_items_are_shown_alike() -> None:
    assert gini(np.full(6, 7), ALL) == pytest.approx(0)


def test_gini_of_a_single_item_shown_is_as_high_as_the_catalogue_allows() -> None:
    assert gini(np.array([0, 0, 0, 9, 0, 0]), ALL) == pytest.approx(1 - 1 / 6)


def test_gini_is_half_the_mean_difference_over_the_mean() -> None:
    shown = np.array([5, 1, 0, 3, 3, 8])
    differences = np.abs(shown[:, None] - shown).mean()
    assert gini(shown, ALL) == pytest.approx(differences / (2 * shown.mean()))


def test_gini_leaves_out_what_may_not_be_shown() -> None:
    assert gini(np.array([4, 4, 0, 0, 0, 0]), np.array([1, 1, 0, 0, 0, 0], np.bool_)) == 0


def test_gini_of_nothing_shown_is_no_number() -> None:
    assert np.isnan(gini(np.zeros(6, np.int64), ALL))


def test_what_half_of_the_users_had_is_worth_one_bit() -> None:
    assert self_information(np.array([8, 4, 1]), 8) == pytest.approx([0, 1, 3])


def test_what_nobody_had_is_as_surprising_as_what_one_had() -> None:
    assert self_information(np.array([0, 1]), 8) == pytest.approx([3, 3])


def test_novelty_is_the_mean_over_a_list_and_none_for_an_empty_one() -> None:
    lists = np.array([[0, 2], [1, NO_ITEM], [NO_ITEM, NO_ITEM]], np.int32)
    found = novelty(lists, np.array([0.0, 1.0, 3.0]))
    assert found == pytest.approx([1.5, 1.0, np.nan], nan_ok=True)


@pytest.mark.parametrize("sparse", [False, True])
def test_diversity_is_one_minus_the_mean_cosine_of_pairs(
    sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when lists come in several blocks."""
    monkeypatch.setattr("recsys.evaluation.list_metrics.LISTS_PER_BLOCK", 2)
    random = np.random.default_rng(3)
    vectors = random.random((9, 4)) * (random.random((9, 4)) < 0.6)
    vectors[5] = 0
    lists = np.array([[0, 5, 2, 8], [1, 3, NO_ITEM, NO_ITEM], [7, 6, 4, NO_ITEM]], np.int32)

    def cosine(one: int, other: int) -> float:
        lengths = np.linalg.norm(vectors[one]) * np.linalg.norm(vectors[other])
        return float(vectors[one] @ vectors[other] / lengths) if lengths else 0.0

    expected = [
        1 - np.mean([cosine(*pair) for pair in combinations(row[row != NO_ITEM].tolist(), 2)])
        for row in lists
    ]
    found = intra_list_diversity(lists, csr_matrix(vectors) if sparse else vectors)
    assert found == pytest.approx(expected)


def test_a_list_of_one_item_has_no_diversity() -> None:
    found = intra_list_diversity(np.array([[0, NO_ITEM]], np.int32), np.ones((2, 2)))
    assert np.isnan(found).all()
