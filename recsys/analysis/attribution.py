"""What came of recommendations: rates of shown items, and what they sold, with intervals.

The unit is the shopper: one shopper's impressions are no independent trials. A rate is a ratio of
two sums over n shoppers, R = sum y / sum x, whose variance is that of the delta method,

    var R = sum (y - R x)^2 / ((n - 1) n mean(x)^2)

(Deng, Knoblich, Lu, "Applying the Delta Method in Metric Analytics", KDD 2018). With x = 1 it is
the mean over shoppers and its usual variance.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.experiment_report import (
    MAX_OUTCOMES,
    RATES,
    ExperimentReport,
    OutcomeCounts,
    RateInterval,
    Rates,
    ReportedDifference,
    ReportedOutcome,
    SampleRatioMismatch,
)
from recsys.evaluation.intervals import Estimate

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over shoppers of two numbers that each of them has."""

    y: float
    yy: float
    x: float
    xx: float
    xy: float

    @classmethod
    def of(cls, y: NDArray[np.float64], x: NDArray[np.float64]) -> "Moments":
        """Those of two (n,) numbers of n shoppers."""
        return cls(*map(float, (y.sum(), y @ y, x.sum(), x @ x, x @ y)))


@dataclass(frozen=True, slots=True)
class Rate:
    """An estimate and its variance.

    Both are NaN where nothing was shown, the variance where shoppers show none: one, or all alike.
    """

    value: float
    variance: float

    @classmethod
    def of(cls, moments: Moments, users: int) -> "Rate":
        if users < 1 or moments.x <= 0:
            return cls(np.nan, np.nan)
        ratio = moments.y / moments.x
        if users < 2:
            return cls(ratio, np.nan)
        squares = moments.yy - 2 * ratio * moments.xy + ratio**2 * moments.xx
        # Where all did alike, such as order nothing, how far they differ is not known: no variance
        # of zero, which would claim that no shopper ever will. But for rounding, squares are zero.
        if squares <= _ROUNDING * moments.yy:
            return cls(ratio, np.nan)
        return cls(ratio, squares * users / ((users - 1) * moments.x**2))

    def interval(self) -> Estimate:
        return Estimate.normal(self.value, np.sqrt(self.variance))

    def minus(self, other: "Rate") -> "Rate":
        """The difference of two groups that have no shopper in common."""
        return Rate(self.value - other.value, self.variance + other.variance)


@dataclass(frozen=True, slots=True)
class Outcome(OutcomeCounts):
    """Counts, and rates by their names in RATES, that can still be compared.

    Attributes:
        unpriced_orders: of `orders`, those without a price, which add nothing to `revenue`.
    """

    rates: Mapping[str, Rate]
    unpriced_orders: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant beside the one that it is compared with: differences by the names of rates."""

    outcome: Outcome
    baseline: Outcome
    differences: Mapping[str, Estimate]


def compare(
    outcomes: Sequence[Outcome], baselines: Mapping[str, str] | None = None
) -> list[Comparison]:
    """Each variant beside the baseline of its experiment and placement.

    Args:
        baselines: the variant that others are compared with, by experiment; of an experiment that
            is not there the first by name.
    """
    groups = dict[tuple[str, str], list[Outcome]]()
    for outcome in sorted(outcomes, key=lambda each: each.variant):
        if outcome.experiment:
            groups.setdefault((outcome.placement, outcome.experiment), []).append(outcome)
    found = []
    for (_, experiment), group in sorted(groups.items()):
        name = (baselines or {}).get(experiment)
        baseline = next((each for each in group if each.variant == name), group[0])
        for outcome in group:
            if outcome is not baseline:
                differences = {
                    rate: outcome.rates[rate].minus(baseline.rates[rate]).interval()
                    for rate in RATES
                }
                found.append(Comparison(outcome, baseline, differences))
    return found


def report_of(
    outcomes: Sequence[Outcome],
    baselines: Mapping[str, str],
    mismatches: Iterable[SampleRatioMismatch] = (),
    *,
    made_ms: int,
    start_ms: int | None,
    end_ms: int,
) -> ExperimentReport:
    """The report of these outcomes, as it is kept and read.

    Args:
        baselines: see `compare`.
        mismatches, made_ms, start_ms, end_ms: see `ExperimentReport`.
    """
    most_seen = sorted(outcomes, key=lambda each: -each.users)[:MAX_OUTCOMES]
    kept = sorted(most_seen, key=lambda each: (each.placement, each.experiment, each.variant))
    return ExperimentReport(
        made_ms,
        start_ms,
        end_ms,
        tuple(_reported(each) for each in kept),
        tuple(_reported_difference(each) for each in compare(kept, baselines)),
        outcomes_left_out=len(outcomes) - len(kept),
        sample_ratio_mismatches=tuple(mismatches),
    )


def _reported(outcome: Outcome) -> ReportedOutcome:
    rates = {name: outcome.rates[name].interval() for name in RATES}
    return ReportedOutcome(**outcome.counts(), rates=_intervals(rates))


def _reported_difference(comparison: Comparison) -> ReportedDifference:
    outcome = comparison.outcome
    return ReportedDifference(
        outcome.placement,
        outcome.experiment,
        outcome.variant,
        comparison.baseline.variant,
        _intervals(comparison.differences),
    )


def _intervals(estimates: Mapping[str, Estimate]) -> Rates:
    return {
        name: RateInterval(_known(each.mean), _known(each.low), _known(each.high))
        for name, each in estimates.items()
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
