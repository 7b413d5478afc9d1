"""Rates and their intervals, by hand and by chance."""

import math
from dataclasses import replace

import numpy as np
import pytest

from recsys.analysis.attribution import Moments, Outcome, Rate, compare, report_of
from recsys.core.experiment_report import MAX_OUTCOMES, RATES, RateInterval


def moments(y: list[float], x: list[float]) -> Moments:
    return Moments.of(np.array(y), np.array(x))


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


@pytest.mark.parametrize("clicked", [[0.0, 0.0, 0.0], [0.7, 1.4, 2.1]])
def test_shoppers_who_all_did_alike_do_not_say_how_far_others_differ(clicked: list[float]) -> None:
    rate = Rate.of(moments(clicked, [1, 2, 3]), 3)
    assert rate.value == pytest.approx(sum(clicked) / 6)
    assert math.isnan(rate.interval().low)
    # So a difference to them is not said to be no chance.
    assert math.isnan(rate.minus(Rate(0.1, 0.0001)).interval().high)


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


def test_a_report_has_all_that_is_known_and_says_what_is_not() -> None:
    outcomes = [an_outcome("a"), an_outcome("b", 0.3), an_outcome("", experiment="")]
    outcomes.append(an_outcome("c", users=0, rates=dict.fromkeys(RATES, Rate(math.nan, math.nan))))
    made = report_of(outcomes, {"test": "b"}, made_ms=9, start_ms=None, end_ms=8)
    assert [each.variant for each in made.outcomes] == ["", "a", "b", "c"]
    assert made.outcomes[3].rates["click_rate"] == RateInterval(None, None, None)
    assert made.outcomes[1].revenue == 5.0
    compared = [(each.variant, each.baseline) for each in made.differences]
    assert compared == [("a", "b"), ("c", "b")]
    assert made.differences[0].rates["click_rate"].mean == pytest.approx(-0.2)
    assert (made.made_ms, made.start_ms, made.end_ms, made.outcomes_left_out) == (9, None, 8, 0)


def test_names_that_a_storefront_makes_up_crowd_out_no_placement_of_many() -> None:
    made_up = [
        an_outcome("", experiment="", placement=f"p{n}", users=1) for n in range(MAX_OUTCOMES)
    ]
    whole = an_outcome("", experiment="")
    made = report_of([*made_up, whole], {}, made_ms=9, start_ms=None, end_ms=8)
    assert len(made.outcomes) == MAX_OUTCOMES
    assert made.outcomes_left_out == 1
    assert "home" in {each.placement for each in made.outcomes}
