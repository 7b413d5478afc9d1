"""Popularity and trend: what people want now, in all and against what they wanted before."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.ranking import Indices
from recsys.training.interactions import InteractionMatrix

# Shoppers an item must have before its own trend counts more than the shop's average.
TREND_PRIOR_SHOPPERS = 10.0


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

    rise_i = (recent_i - share * ever_i) / sqrt(share * ever_i + 1), in the terms of
    `Shoppers.trends`: the standardised residual of a count, in which one shopper more is no rise of
    what hardly anybody had before. Equal ones by row; none in data without time.
    """
    recent, ever = Shoppers.of(pairs)
    if not recent.any():
        return np.empty(0, np.int32)
    expected = ever * (recent.sum() / ever.sum())
    # Sums of the same shoppers in another order differ by rounding.
    rise = ((recent - expected) / np.sqrt(expected + 1)).round(6)
    order = np.argsort(-rise, kind="stable").astype(np.int32)
    return np.asarray(order[rise[order] > 0])


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
