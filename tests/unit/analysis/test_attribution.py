"""Rates and their intervals, by hand and by chance."""

import math
from dataclasses import replace

import numpy as np
import pytest

from recsys.analysis.attribution import RATES, Moments, Outcome, Rate, compare


def moments(y: list[float], x: list[float]) -> Moments:
    ys, xs = np.array(y), np.array(x)
    return Moments(ys.sum(), (ys**2).sum(), xs.sum(), (xs**2).sum(), (xs * ys).sum())


def test_a_rate_is_that_of_all_that_was_shown_and_its_variance_that_of_shoppers() -> None:
    # Of 4 + 2 items 1 + 2 were clicked: R = 1/2. y - Rx = -1, 1; var = 2 * 2 / (1 * 36).
    rate = Rate.of(moments([1, 2], [4, 2]), 2)
    assert rate.value == pytest.approx(1 / 2)
    assert rate.variance == pytest.approx(2 * 2 / 36)
    margin = 1.959964 * math.sqrt(1 / 9)
    assert rate.interval().low == pytest.approx(0.5 - margin)
    assert rate.interval().high == pytest.approx(0.5 + margin)


def test_with_one_for_each_shopper_it_is_the_mean_and_its_usual_variance() -> None:
    values = [3.0, 0.0, 4.5, 1.0]
    rate = Rate.of(moments(values, [1.0] * 4), 4)
    assert rate.value == pytest.approx(np.mean(values))
    assert rate.variance == pytest.approx(np.var(values, ddof=1) / 4)


def test_one_shopper_has_a_rate_and_no_interval_and_nobody_has_none() -> None:
    one = Rate.of(moments([1], [4]), 1)
    assert one.value == 0.25
    assert math.isnan(one.interval().low)
    assert math.isnan(Rate.of(moments([], []), 0).value)


def test_shoppers_who_look_a_lot_widen_the_interval_more_than_their_impressions_say() -> None:
    """The reason for the delta method: all clicks come from one shopper of ten."""
    clicks, shown = [50.0, *[0.0] * 9], [100.0] * 10
    rate = Rate.of(moments(clicks, shown), 10)
    by_impressions = 0.05 * 0.95 / 1000
    assert rate.variance > 20 * by_impressions


def test_of_many_intervals_of_equal_shoppers_95_percent_have_the_truth() -> None:
    random = np.random.default_rng(3)
    hits, differs, runs = 0, 0, 400
    for _ in range(runs):
        rates = []
        for _ in range(2):
            shown = random.integers(1, 40, 300).astype(float)
            taste = random.beta(1, 9, 300)
            clicks = random.binomial(shown.astype(int), taste).astype(float)
            rates.append(Rate.of(moments(clicks.tolist(), shown.tolist()), 300))
        found = rates[0].interval()
        hits += found.low <= 0.1 <= found.high
        difference = rates[1].minus(rates[0]).interval()
        differs += not difference.low <= 0 <= difference.high
    assert 0.92 < hits / runs < 0.98
    # An A/A test: no difference in 95 of 100.
    assert 0.02 < differs / runs < 0.08


def an_outcome(variant: str, value: float = 0.1, **changes: object) -> Outcome:
    rates = {name: Rate(value, 0.0001) for name in RATES}
    found = Outcome("home", "test", variant, 10, 100, 10, 2, 1, 5.0, rates)
    return replace(found, **changes)  # type: ignore[arg-type]


def test_variants_are_compared_with_the_first_of_their_experiment() -> None:
    outcomes = [
        an_outcome("b", 0.3),
        an_outcome("a"),
        an_outcome("a", placement="basket"),
        an_outcome("", experiment=""),
    ]
    [found] = compare(outcomes, {"test": "b"})
    assert (found.outcome.variant, found.baseline.variant) == ("a", "b")
    difference = found.differences["click_rate"]
    assert difference.mean == pytest.approx(-0.2)
    assert difference.high - difference.low == pytest.approx(2 * 1.959964 * math.sqrt(0.0002))
    # Of an experiment that the settings no longer have.
    [by_name] = compare(outcomes)
    assert by_name.baseline.variant == "a"
