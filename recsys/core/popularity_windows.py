"""What was popular, and what rose, within windows of days: up to the training, and since."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import InvalidModel
from recsys.core.ranking import Indices

# What one shopper bought may be new, and is no trend.
_MIN_RISING_SHOPPERS = 2


@dataclass(frozen=True)
class PopularityWindow:
    """Items that anybody bought within one window, by events of the shop's goals.

    Attributes:
        popular: (p,) rows of these items, those with the most shoppers first.
        shoppers: (p,) int32, how many users bought each.
        rising: (r,) rows of items that more bought than their past lets one expect, the most rising
            first.
        rises: (r,) float32, positive, see `rises`.
        past: (n,) int32, shoppers of each item of the model within the windows before. None in
            models of before format 11.

    Raises:
        InvalidModel: when shapes disagree or a number is not positive.
    """

    popular: Indices
    shoppers: NDArray[np.int32]
    rising: Indices
    rises: NDArray[np.float32]
    past: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        for rows, numbers in ((self.popular, self.shoppers), (self.rising, self.rises)):
            if rows.ndim != 1 or rows.shape != numbers.shape:
                raise InvalidModel("the items of a window differ in shape from their numbers")
            if not (np.isfinite(numbers) & (numbers > 0)).all():
                raise InvalidModel("a number of a window is not positive")
        if self.past is not None and (self.past.ndim != 1 or (self.past < 0).any()):
            raise InvalidModel("the shoppers of the past of a window are no counts")

    @classmethod
    def counted(
        cls, recent: NDArray[np.integer], past: NDArray[np.integer], popular: Indices
    ) -> "PopularityWindow":
        """Items of a window by how many bought them then, and by how they rise.

        The rise is against the past alone, and of what two shoppers bought.

        Args:
            recent: (n,) shoppers who bought each item within the window.
            past: (n,) the same of the windows before it.
            popular: (n,) all item rows, most popular first, by which equal ones are ordered.
        """
        bought = popular[recent[popular] > 0]
        order = bought[np.argsort(-recent[bought], kind="stable")]
        found = np.where(recent >= _MIN_RISING_SHOPPERS, rises(recent, past), 0)
        rising = most_rising(found)
        return cls(
            popular=order.astype(np.int32),
            shoppers=recent[order].astype(np.int32),
            rising=rising,
            rises=found[rising].astype(np.float32),
            past=past.astype(np.int32),
        )

    def with_shoppers(self, since: NDArray[np.integer], popular: Indices) -> "PopularityWindow":
        """The window with what was bought since its end; with an unknown past what rises stays.

        Args:
            since: (n + m,) shoppers who bought each item since, of the model and of m that came
                after it.
            popular: (n + m,) see `counted`.
        """
        recent = since.astype(np.int64)
        recent[self.popular] += self.shoppers
        past = np.zeros(len(since), np.int32)
        if self.past is None:
            found = PopularityWindow.counted(recent, past, popular)
            return replace(self, popular=found.popular, shoppers=found.shoppers)
        past[: len(self.past)] = self.past
        return PopularityWindow.counted(recent, past, popular)


def rises(recent: NDArray[np.number], past: NDArray[np.number]) -> NDArray[np.float64]:
    """Rise: the standardised residual of a count against the past, (n,).

    rise_i = (recent_i - share * past_i) / sqrt(share * past_i + 1), with `share` the ratio of
    recent and past over all items. One shopper more is no rise of what hardly anybody had before.
    Zeros without any of one of both.
    """
    if not (recent.any() and past.any()):
        return np.zeros(len(recent))
    expected = past * (recent.sum() / past.sum())
    # Sums of the same shoppers in another order differ by rounding.
    return np.asarray(((recent - expected) / np.sqrt(expected + 1)).round(6))


def most_rising(of_items: NDArray[np.float64]) -> Indices:
    """Rows of what rises, the most rising first, equal ones by row."""
    risen = np.flatnonzero(of_items > 0)
    return np.asarray(risen[np.argsort(-of_items[risen], kind="stable")], np.int32)


def window_problem(days: int, windows: Collection[int]) -> str | None:
    """What is wrong with a window that a request or placement names; 0 stands for none."""
    if not days or days in windows:
        return None
    if not windows:
        return "this shop counts no windows: popularity_windows_days in its settings names them"
    known = ", ".join(map(str, sorted(windows)))
    return f"{days} is not one of the windows that this shop counts: {known}"
