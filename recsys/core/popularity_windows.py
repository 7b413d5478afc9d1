"""What was popular, and what rose, within windows of days before the training."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import InvalidModel
from recsys.core.ranking import Indices


@dataclass(frozen=True)
class PopularityWindow:
    """Items that anybody bought within one window, by events of the shop's goals.

    Attributes:
        popular: (p,) rows of these items, those with the most shoppers first.
        shoppers: (p,) int32, how many users bought each.
        rising: (r,) rows of items that more bought than their past lets one expect, the most rising
            first.
        rises: (r,) float32, positive, see `recsys.training.popularity`.

    Raises:
        InvalidModel: when shapes disagree or a number is not positive.
    """

    popular: Indices
    shoppers: NDArray[np.int32]
    rising: Indices
    rises: NDArray[np.float32]

    def __post_init__(self) -> None:
        for rows, numbers in ((self.popular, self.shoppers), (self.rising, self.rises)):
            if rows.ndim != 1 or rows.shape != numbers.shape:
                raise InvalidModel("the items of a window differ in shape from their numbers")
            if not (np.isfinite(numbers) & (numbers > 0)).all():
                raise InvalidModel("a number of a window is not positive")


def window_problem(days: int, windows: Collection[int]) -> str | None:
    """What is wrong with a window that a request or placement names; 0 stands for none."""
    if not days or days in windows:
        return None
    if not windows:
        return "this shop counts no windows: popularity_windows_days in its settings names them"
    known = ", ".join(map(str, sorted(windows)))
    return f"{days} is not one of the windows that this shop counts: {known}"
