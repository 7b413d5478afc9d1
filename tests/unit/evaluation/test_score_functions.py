import numpy as np

from recsys.evaluation.score_functions import (
    by_rank,
    has_behaviour,
    is_known,
    masked,
)
from recsys.training.interactions import InteractionMatrix, make_pairs

STRANGER = 7


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


def test_behaviour_that_cancels_out_is_none() -> None:
    assert has_behaviour(some_pairs()).tolist() == [True, False]


def test_strangers_have_no_behaviour() -> None:
    known = is_known(np.array([STRANGER, 0, 1]), has_behaviour(some_pairs()))
    assert known.tolist() == [False, True, False]
