"""Ranges of positions, one after the other: the entries of some rows in CSR form."""

import numpy as np
from numpy.typing import NDArray


def concatenated_ranges(
    starts: NDArray[np.integer], lengths: NDArray[np.integer]
) -> NDArray[np.intp]:
    """The numbers start, start + 1, ..., start + length - 1 of each range, (sum of lengths,)."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(lengths.sum()) + np.repeat(starts - before, lengths), np.intp)
