"""No shopper decides how much the behaviour of all others counts."""

import numpy as np
import pytest

from recsys.training.als.settings import AlsSettings, resolved_alpha
from recsys.training.interactions import InteractionMatrix, make_pairs

RANDOM = np.random.default_rng(3)
USERS = np.array([f"u{n}" for n in RANDOM.integers(0, 500, 4000)], object)
ITEMS = np.array([f"i{n}" for n in RANDOM.integers(0, 100, 4000)], object)
NOBODY = (np.array([], object), np.array([], object), np.array([]))


def pairs_with(users: np.ndarray, items: np.ndarray, strengths: np.ndarray) -> InteractionMatrix:
    weights = np.concatenate([np.ones(len(USERS)), strengths])
    return make_pairs(
        np.concatenate([USERS, users]),
        np.concatenate([ITEMS, items]),
        weights,
        weights,
        np.zeros(len(weights), np.bool_),
    )


def a_robot(times: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Somebody who looks at every item that often."""
    items = np.array([f"i{n}" for n in range(100)], object)
    return np.full(100, "robot", object), items, np.full(100, times)


def alpha_of(pairs: InteractionMatrix) -> float:
    return resolved_alpha(pairs.matrix(), AlsSettings())


@pytest.mark.parametrize("times", [1e3, 1e6])
def test_a_robot_hardly_changes_the_confidence_of_others(times: float) -> None:
    alone, visited = alpha_of(pairs_with(*NOBODY)), alpha_of(pairs_with(*a_robot(times)))

    assert visited == pytest.approx(alone, rel=0.07)


def test_it_is_counted_and_said() -> None:
    note = pairs_with(*a_robot(1e6)).limit_note()

    assert note == "1 user has more than 5% of all behaviour, as robots do, and counts as 5%"
    assert pairs_with(*NOBODY).limit_note() is None


def test_others_keep_their_strengths_and_the_robot_its_proportions() -> None:
    users, items, strengths = a_robot(1e6)
    strengths[:50] *= 2
    pairs = pairs_with(users, items, strengths)
    row = pairs.users.index_of("robot")
    assert row is not None
    robot = pairs.strengths[pairs.indptr[row] : pairs.indptr[row + 1]]
    others = np.delete(pairs.strengths, np.s_[pairs.indptr[row] : pairs.indptr[row + 1]])

    assert others.sum() == len(USERS)
    assert robot.sum() == pytest.approx(0.05 * pairs.strengths.sum(), rel=1e-3)
    assert robot.max() == pytest.approx(2 * robot.min())


def test_a_busy_customer_keeps_every_order() -> None:
    pairs = pairs_with(*a_robot(1.5))

    assert pairs.strengths.sum() == len(USERS) + 150


def test_what_a_robot_dislikes_is_scaled_with_the_rest_and_no_excuse() -> None:
    users, items, strengths = a_robot(1e6)
    disliked = np.array([f"j{n}" for n in range(100)], object)
    pairs = pairs_with(
        np.concatenate([users, users]),
        np.concatenate([items, disliked]),
        np.concatenate([strengths, -strengths]),
    )
    row = pairs.users.index_of("robot")
    assert row is not None
    robot = pairs.strengths[pairs.indptr[row] : pairs.indptr[row + 1]]

    assert robot[robot > 0].sum() == pytest.approx(0.05 * pairs.matrix().sum(), rel=1e-3)
    assert robot.sum() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("users", [["ann"], ["ann", "bob"], ["ann"] * 9 + ["bob"]])
def test_in_a_small_shop_nobody_is_limited(users: list[str]) -> None:
    weights = np.ones(len(users))
    items = np.array([f"i{n}" for n in range(len(users))], object)
    pairs = make_pairs(
        np.array(users, object), items, weights, weights, np.zeros(len(users), np.bool_)
    )

    assert pairs.strengths.tolist() == [1.0] * len(users)
