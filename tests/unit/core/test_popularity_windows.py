"""Windows of popularity: as they are counted at night, and with what is bought since."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from recsys.core.popularity_windows import PopularityWindow


def window_of(recent: Sequence[int], past: Sequence[int]) -> PopularityWindow:
    popular = np.arange(len(recent), dtype=np.int32)[::-1]
    return PopularityWindow.counted(np.array(recent), np.array(past), popular)


def test_a_window_has_what_was_bought_in_it_by_how_many_did() -> None:
    window = window_of(recent=[2, 0, 5, 2], past=[9, 9, 9, 9])
    # Of two that as many bought the more popular one comes first.
    assert window.popular.tolist() == [2, 3, 0]
    assert window.shoppers.tolist() == [5, 2, 2]


def test_within_a_window_rises_what_more_bought_than_its_past_lets_one_expect() -> None:
    recent, past = [6, 3, 3, 0], [4, 4, 12, 4]
    window = window_of(recent, past)
    share = 12 / 24
    rises = [(6 - 4 * share) / (4 * share + 1) ** 0.5, (3 - 4 * share) / (4 * share + 1) ** 0.5]
    assert window.rising.tolist() == [0, 1]
    assert window.rises.tolist() == pytest.approx(rises)


def test_one_shopper_is_no_trend() -> None:
    assert window_of(recent=[1, 2, 10], past=[0, 0, 80]).rising.tolist() == [1]


@pytest.mark.parametrize(("recent", "past"), [([3, 2], [0, 0]), ([0, 0], [3, 2])])
def test_without_a_past_or_a_present_nothing_rises_within_a_window(
    recent: list[int], past: list[int]
) -> None:
    assert window_of(recent, past).rising.tolist() == []


def test_a_window_goes_on_as_if_it_had_been_counted_later() -> None:
    recent, past, since = [6, 3, 3, 0, 1], [4, 4, 12, 4, 0], [0, 5, 0, 2, 1]
    order = np.arange(5, dtype=np.int32)[::-1]
    found = window_of(recent, past).with_shoppers(np.array(since), order)
    later = window_of([sum(pair) for pair in zip(recent, since, strict=True)], past)
    for name in ("popular", "shoppers", "rising", "rises", "past"):
        np.testing.assert_array_equal(getattr(found, name), getattr(later, name))


def test_what_came_after_the_model_is_in_a_window_once_it_is_bought() -> None:
    popular = np.array([1, 0, 2, 3], np.int32)
    found = window_of([2, 5], [4, 4]).with_shoppers(np.array([0, 0, 0, 6]), popular)
    assert found.popular.tolist() == [3, 1, 0]
    assert found.shoppers.tolist() == [6, 5, 2]
    assert found.rising.tolist()[0] == 3


def test_without_a_past_what_rises_is_that_of_the_night() -> None:
    night = replace(window_of([6, 3, 3], [4, 4, 12]), past=None)
    found = night.with_shoppers(np.array([0, 0, 50]), np.arange(3, dtype=np.int32))
    assert found.popular.tolist() == [2, 0, 1]
    assert found.rising.tolist() == night.rising.tolist()
    assert found.rises.tolist() == night.rises.tolist()
    assert found.past is None
