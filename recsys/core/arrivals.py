"""Arrivals of items: when shoppers could see each first, and which of them are new."""

import numpy as np
from numpy.typing import NDArray

from recsys.core.times import MS_PER_DAY

# How long an item is new, where a request names no window.
NEW_DAYS = 30


def stands_out_as_new(arrivals_ms: NDArray[np.int64], as_of_ms: int) -> NDArray[np.bool_]:
    """Which items came lately, and at least a day after half of the shop's items, (n,).

    Where a whole catalogue was imported at once, all of it has arrived, and nothing is new.

    Args:
        arrivals_ms: (n,) UTC milliseconds, zero where nobody knows.
        as_of_ms: the moment to judge by.
    """
    dated = arrivals_ms[arrivals_ms > 0]
    if not len(dated):
        return np.zeros(len(arrivals_ms), np.bool_)
    since_ms = max(as_of_ms - NEW_DAYS * MS_PER_DAY, np.median(dated) + MS_PER_DAY)
    return np.asarray(arrivals_ms >= since_ms)
