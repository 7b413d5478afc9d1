import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.errors import InvalidInput
from recsys.evaluation.score_functions import (
    by_rank,
    has_behaviour,
    is_known,
    masked,
)
from recsys.training.interactions import InteractionMatrix, make_pairs

STRANGER = 7
ALL = np.ones(3, np.bool_)


def some_pairs() -> InteractionMatrix:
    """u0 bought a and looked at b; u1 gave back what it bought; items are a, b, c."""
    return make_pairs(
        np.array(["u0", "u0", "u1"], object),
        np.array(["a", "b", "c"], object),
        np.array([1.0, 0.2, -1.0]),
        np.ones(3),
        np.array([True, False, True]),
    )


def test_everybody_gets_the_same_order() -> None:
    scores = by_rank(np.array([2, 0, 1], np.int32))(np.array([5, 9]))
    assert np.argsort(-scores, axis=1).tolist() == [[2, 0, 1]] * 2


def test_what_is_excluded_or_not_sold_scores_nothing() -> None:
    score = masked(by_rank(np.arange(3)), some_pairs(), np.array([True, False, True]))
    shown = np.isfinite(score(np.array([0, 1, STRANGER])))
    assert shown.tolist() == [[False, False, True], [True, False, False], [True, False, True]]


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float16, np.float64])
def test_counts_and_other_numbers_are_scores(dtype: type) -> None:
    buyers = np.array([3, 9, 5], dtype)
    score = masked(lambda users: np.tile(buyers, (len(users), 1)), some_pairs(), ALL)
    assert score(np.array([0, 1])).tolist() == [[-np.inf, 9, 5], [3, 9, -np.inf]]


def test_scores_that_a_baseline_keeps_stay_as_they_are() -> None:
    kept = np.tile(np.array([3, 9, 5], np.float32), (2, 1))
    score = masked(lambda _: kept, some_pairs(), ALL)
    score(np.array([0, 1]))
    assert np.isfinite(kept).all()

    shared = masked(lambda _: np.broadcast_to(kept[0], (2, 3)), some_pairs(), ALL)
    assert shared(np.array([0, 1])).tolist() == [[-np.inf, 9, 5], [3, 9, -np.inf]]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.ones(3), r"\(2, 3\), .* but is \(3,\): ndarray"),
        (np.ones((1, 3)), r"but is \(1, 3\)"),
        (np.ones((2, 2)), r"but is \(2, 2\)"),
        (csr_matrix(np.ones((2, 3))), "csr_matrix"),
    ],
)
def test_scores_of_another_shape_are_told(wrong: NDArray[np.float64], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        masked(lambda _: wrong, some_pairs(), ALL)(np.array([0, 1]))


def test_behaviour_that_cancels_out_is_none() -> None:
    assert has_behaviour(some_pairs()).tolist() == [True, False]


def test_strangers_have_no_behaviour() -> None:
    known = is_known(np.array([STRANGER, 0, 1]), has_behaviour(some_pairs()))
    assert known.tolist() == [False, True, False]
