"""Efforts of the search for settings, and what each of them tries."""

from dataclasses import dataclass
from enum import Enum

from recsys.tuning.validation import ValidationSize


class FitEffort(Enum):
    """Effort of the search: none, some forty trainings, or a hundred and more."""

    OFF = "off"
    QUICK = "quick"
    THOROUGH = "thorough"


@dataclass(frozen=True)
class SearchPlan:
    """Trials of one effort.

    Attributes:
        alpha_scales, regularizations: tried with each other first.
        climbs: how often the surroundings of the best are tried, besides the rounds that pay.
        finalists: settings that are trained as the model itself.
        factors: the best finalist is tried with these besides its own, and with more for as long
            as that is better.
    """

    size: ValidationSize
    alpha_scales: tuple[float, ...]
    regularizations: tuple[float, ...]
    climbs: int
    finalists: int
    factors: tuple[int, ...]


PLANS = {
    FitEffort.QUICK: SearchPlan(
        size=ValidationSize(
            pairs=1_000_000, judged_users=5000, scores=60_000_000, folds=3, folded_pairs=1_600_000
        ),
        alpha_scales=(0.5, 2.0, 8.0),
        regularizations=(0.01, 0.003, 0.001, 0.0003),
        climbs=2,
        finalists=2,
        factors=(64, 256),
    ),
    FitEffort.THOROUGH: SearchPlan(
        size=ValidationSize(pairs=2_000_000, judged_users=6000, folds=3),
        alpha_scales=(0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0),
        regularizations=(0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001),
        climbs=5,
        finalists=4,
        factors=(48, 64, 96, 192, 256, 384),
    ),
}
