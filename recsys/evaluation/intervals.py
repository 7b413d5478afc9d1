"""Confidence intervals of means over users.

The users of a test are a sample of those the shop will have; an interval says how far the mean
would move with other ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Two-sided 95 % of the normal distribution.
_Z = 1.959964
_TAILS = (2.5, 97.5)
_RESAMPLES = 2000
# From here on the mean of a bounded metric is as good as normal, and resampling only takes longer.
NORMAL_FROM_USERS = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its 95 % interval; the bounds are NaN where one user or none is behind it."""

    mean: float
    low: float
    high: float

    @classmethod
    def normal(cls, mean: float, standard_error: float) -> "Estimate":
        """Mean +- 1.96 standard errors."""
        margin = _Z * standard_error
        return cls(mean, float(mean - margin), float(mean + margin))


def user_mean(values: NDArray[np.float64]) -> float:
    """Mean over users; NaN means "no value" and is left out."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan


def mean_interval(values: NDArray[np.float64], seed: int = 0) -> Estimate:
    """Mean over users with its 95 % interval; NaN means "no value" and is left out.

    Percentile bootstrap over users (Efron, 1979) for few users, mean +- 1.96 standard errors for
    many. Bootstrap, t-test and randomisation agree on retrieval metrics (Smucker, Allan,
    Carterette, "A comparison of statistical significance tests", 2007).

    Args:
        values: (t,), one a user.
    """
    mean, values = user_mean(values), values[~np.isnan(values)]
    if len(values) < 2:
        return Estimate(mean, np.nan, np.nan)
    if len(values) >= NORMAL_FROM_USERS:
        return Estimate.normal(mean, float(values.std(ddof=1)) / np.sqrt(len(values)))
    drawn = np.random.default_rng(seed).integers(len(values), size=(_RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), _TAILS)
    return Estimate(mean, float(low), float(high))


def paired_difference(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Estimate:
    """Mean of ours - theirs over the same users with its 95 % interval.

    Far narrower than the two intervals side by side, since what is hard for one model is hard for
    the other: two models differ when this interval leaves zero out.

    Args:
        ours, theirs: (t,), the same users in the same order.
    """
    return mean_interval(ours - theirs)
