from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.evaluation import mean_interval, paired_difference
from recsys.evaluation.intervals import NORMAL_FROM_USERS


def test_the_interval_surrounds_the_mean() -> None:
    found = mean_interval(np.random.default_rng(1).random(200))
    assert found.low < found.mean < found.high


@pytest.mark.parametrize("users", [100, NORMAL_FROM_USERS])
def test_ninety_five_of_a_hundred_intervals_hold_the_truth(users: int) -> None:
    """On a skewed metric, zero for most users, as recall is."""
    random = np.random.default_rng(5)

    def a_sample() -> NDArray[np.float64]:
        return np.where(random.random(users) < 0.3, random.random(users), 0.0)

    covered = [found.low <= 0.15 <= found.high for found in _estimates(a_sample, 300)]
    assert 0.91 <= np.mean(covered) <= 0.98


def _estimates(sample: Callable[[], NDArray[np.float64]], times: int) -> list:
    return [mean_interval(sample()) for _ in range(times)]


def test_bootstrap_and_normal_theory_agree_where_one_takes_over_from_the_other() -> None:
    values = np.random.default_rng(2).random(NORMAL_FROM_USERS)
    normal, bootstrap = mean_interval(values), mean_interval(values[:-1])
    assert bootstrap.low == pytest.approx(normal.low, abs=1e-3)
    assert bootstrap.high == pytest.approx(normal.high, abs=1e-3)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(3).random(50)
    assert mean_interval(values, seed=4) == mean_interval(values, seed=4)
    assert mean_interval(values, seed=4) != mean_interval(values, seed=5)


def test_one_user_has_a_mean_but_no_interval() -> None:
    found = mean_interval(np.array([0.5, np.nan]))
    assert found.mean == 0.5
    assert np.isnan([found.low, found.high]).all()


def test_nobody_has_no_mean() -> None:
    assert np.isnan(mean_interval(np.array([np.nan])).mean)


@pytest.mark.parametrize("users", [200, 2000])
def test_pairing_finds_a_small_difference_that_two_intervals_would_hide(users: int) -> None:
    random = np.random.default_rng(6)
    theirs = random.random(users)
    ours = theirs + random.normal(0.01, 0.02, users)
    difference = paired_difference(ours, theirs)
    assert difference.low > 0
    assert difference.mean == pytest.approx(0.01, abs=0.005)
    assert mean_interval(theirs).high > mean_interval(ours).low
