"""The report of experiments as it is kept and read: counts and rates by placement and variant."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

# Per shown item: clicked, put into a basket. Per shopper: who ordered at all, and for how much.
RATES = ("click_rate", "cart_rate", "conversion", "revenue_per_user")

# Placements and variants are whatever events say: a storefront that makes up names must not make
# a report that nobody can read.
MAX_OUTCOMES = 1000


@dataclass(frozen=True, slots=True)
class RateInterval:
    """A rate, or a difference of two, with its 95 % interval; None where too few are behind it."""

    mean: float | None
    low: float | None
    high: float | None


Rates = Mapping[str, RateInterval]


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """What came of one placement, in one variant of an experiment or without any.

    Attributes:
        experiment, variant: empty without an experiment.
        users: who were shown something.
        shown: items, each once for every recommendation.
        clicked, carted: of these.
        orders, revenue: lines of orders by these, and what they sold.
    """

    placement: str
    experiment: str
    variant: str
    users: int
    shown: int
    clicked: int
    carted: int
    orders: int
    revenue: float

    def counts(self) -> dict[str, Any]:
        """The fields above, by their names."""
        return {name: getattr(self, name) for name in COUNTS}


COUNTS = tuple(each.name for each in fields(OutcomeCounts))


@dataclass(frozen=True, slots=True)
class ReportedOutcome(OutcomeCounts):
    """Counts, and rates by their names in RATES."""

    rates: Rates


@dataclass(frozen=True, slots=True)
class ReportedDifference:
    """The rates of a variant less those of the baseline of its experiment."""

    placement: str
    experiment: str
    variant: str
    baseline: str
    rates: Rates


@dataclass(frozen=True, slots=True)
class ExperimentGroup:
    """The shoppers of one variant.

    Attributes:
        users: who were shown something.
        expected: how many of the experiment's shoppers it was to have by its weight.
    """

    variant: str
    users: int
    expected: float


@dataclass(frozen=True, slots=True)
class SampleRatioMismatch:
    """One placement of an experiment whose groups are not of the sizes that were asked for.

    Attributes:
        p_value: how likely chance makes such groups, or ones further off.
    """

    placement: str
    experiment: str
    p_value: float
    groups: tuple[ExperimentGroup, ...]


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """What came of the recommendations of some time.

    Attributes:
        made_ms: UTC milliseconds, when it was made.
        start_ms, end_ms: it counts events from the one until before the other; a start of None:
            from the first event on.
        outcomes: by placement, experiment and variant.
        outcomes_left_out: how many more there were, of the fewest shoppers.
        sample_ratio_mismatches: whose differences are not to be trusted.
    """

    made_ms: int
    start_ms: int | None
    end_ms: int
    outcomes: tuple[ReportedOutcome, ...]
    differences: tuple[ReportedDifference, ...]
    outcomes_left_out: int = 0
    sample_ratio_mismatches: tuple[SampleRatioMismatch, ...] = ()
