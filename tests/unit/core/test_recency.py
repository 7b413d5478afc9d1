"""Decay of behaviour with later moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.recency import faded, recency, steps_of
from tests.builders import a_history


def test_a_half_life_halves() -> None:
    assert recency([0, 2, 4], 2.0).tolist() == [1.0, 0.5, 0.25]


def test_without_a_half_life_order_does_not_count() -> None:
    history = a_history([1, 2], steps=[0, 90])
    assert recency(history.steps, None).tolist() == [1.0, 1.0]
    assert faded(history, None) is history


def test_what_is_faded_keeps_everything_but_its_strengths() -> None:
    history = a_history([4, 5], [3.0, 2.0], [True, False], steps=[1, 0])
    found = faded(history, 1.0)
    assert found.strengths.tolist() == [1.5, 2.0]
    assert found.items is history.items
    assert found.excluded is history.excluded


def test_however_old_it_is_something_is_left() -> None:
    assert (recency([10, 1000, 2**31 - 1], 0.1) > 0).all()


def test_steps_count_the_later_moments() -> None:
    assert steps_of([30, 10, 20, 30]).tolist() == [0, 2, 1, 0]


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1))
def test_steps_of_steps_are_the_same(moments: list[int]) -> None:
    steps = steps_of(moments)
    assert steps.min() == 0
    assert np.array_equal(steps_of(-steps), steps)


@pytest.mark.parametrize("half_life", [0.5, 3.0])
def test_a_moment_more_fades_all_the_rest_alike(half_life: float) -> None:
    steps = np.arange(8)
    ratios = recency(steps + 1, half_life) / recency(steps, half_life)
    assert ratios == pytest.approx(2 ** (-1 / half_life), rel=1e-6)
