"""Popularity and trend: what people want now, in all and against what they wanted before.

By a half-life, of all behaviour; `recsys.core.popularity_windows` has windows of days.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.popularity_windows import most_rising, rises
from recsys.core.ranking import Indices
from recsys.training.interactions import InteractionMatrix

# Shoppers an item must have before its own trend counts more than the shop's average.
TREND_PRIOR_SHOPPERS = 10.0
# A window is compared with so many before it: they are known twice as well, and are hardly another
# season.
PAST_WINDOWS = 4


def popular_items(pairs: InteractionMatrix) -> Indices:
    """All item rows, most popular first, equal ones by row."""
    return np.argsort(-_recent_shoppers(pairs), kind="stable").astype(np.int32)


class Shoppers(NamedTuple):
    """Shoppers of each of n items.

    Attributes:
        recent: (n,) who want it now, see `_recent_shoppers`.
        ever: (n,) all who did.
    """

    recent: NDArray[np.float64]
    ever: NDArray[np.int64]

    @classmethod
    def of(cls, pairs: InteractionMatrix) -> "Shoppers":
        return cls(_recent_shoppers(pairs), _all_shoppers(pairs))

    def trends(self, exponent: float) -> NDArray[np.float32]:
        """Trend: how much better an item sells lately than items do, (n,), one for an average item.

        trend_i = ((recent_i + c * share) / (ever_i + c) / share) ^ e, with `share` the ratio of
        recent and ever over all items, c the prior's weight and e the exponent. An item with little
        data stays near one, and so does every item of a shop whose data has no time.
        """
        recent, ever = self
        if not recent.any():
            return np.ones(len(recent), np.float32)
        share = recent.sum() / ever.sum()
        smoothed = (recent + TREND_PRIOR_SHOPPERS * share) / (ever + TREND_PRIOR_SHOPPERS)
        return np.asarray((smoothed / share) ** exponent, np.float32)


def rising_items(pairs: InteractionMatrix) -> Indices:
    """The items that more want lately than their past lets one expect, the most rising first.

    By `rises` of the shoppers of now against all that an item ever had. None in data without time.
    """
    recent, ever = Shoppers.of(pairs)
    return most_rising(rises(recent, ever))


def _all_shoppers(pairs: InteractionMatrix) -> NDArray[np.int64]:
    wanted = pairs.item_indices[pairs.strengths > 0]
    shoppers: NDArray[np.int64] = np.bincount(wanted, minlength=len(pairs.items))
    return shoppers


def _recent_shoppers(pairs: InteractionMatrix) -> NDArray[np.float64]:
    """Sum over users of min(1, recent strength), (n,).

    One wholesaler's hundred orders count as one shopper.
    """
    voices = np.where(pairs.strengths > 0, np.minimum(pairs.recent_strengths, 1.0), 0.0)
    shoppers = np.bincount(pairs.item_indices, weights=voices, minlength=len(pairs.items))
    return shoppers.astype(np.float64)
