"""The best n of a row of scores; the same order everywhere, also among equals."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int32]

_SIGN = np.uint32(1 << 31)


def top_n(scores: NDArray[np.float32], n: int) -> Indices:
    """Columns of the n highest finite scores, best first, equal ones by column.

    Fewer than n when fewer scores are finite: -inf and NaN mean "no score".
    """
    return top_n_rows(scores[np.newaxis, :], n)[0]


def top_n_rows(scores: NDArray[np.float32], n: int) -> list[Indices]:
    """`top_n` of each row of (rows, columns) scores."""
    clean = np.where(np.isfinite(scores), scores, -np.inf)
    columns = clean.shape[1]
    if n < columns:
        threshold = np.partition(clean, columns - n, axis=1)[:, columns - n]
    else:
        threshold = np.full(len(clean), -np.inf)
    return [_best(row, least, n) for row, least in zip(clean, threshold, strict=True)]


def top_n_of_rows(
    items: NDArray[np.intp], scores: NDArray[np.float32], n: int
) -> list[tuple[Indices, NDArray[np.float32]]]:
    """Of each row the items with the n highest finite scores, and these, equal ones by item.

    Args:
        items: (rows, c) item rows, in any order.
        scores: (rows, c)
    """
    # One number each, that grows as a score falls and then with the item.
    keys = _falling(scores).astype(np.uint64) << np.uint64(32) | items.astype(np.uint64)
    if n < keys.shape[1]:
        keys = np.partition(keys, n - 1, axis=1)[:, :n]
    keys.sort(axis=1)
    values = _rising((keys >> np.uint64(32)).astype(np.uint32))
    best = (keys & np.uint64(0xFFFFFFFF)).astype(np.int32)
    counts = np.count_nonzero(values > -np.inf, axis=1).tolist()
    return [
        (best[row, :count].copy(), values[row, :count].copy()) for row, count in enumerate(counts)
    ]


def _falling(scores: NDArray[np.float32]) -> NDArray[np.uint32]:
    """The bits of scores, mapped so that they grow as these fall; what is not finite comes last."""
    # The two zeros are equal.
    clean = np.where(np.isfinite(scores), scores, np.float32(-np.inf)) + np.float32(0)
    bits = clean.view(np.uint32)
    return np.where(bits & _SIGN, bits, ~bits & ~_SIGN)


def _rising(falling: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The inverse of `_falling`."""
    return np.where(falling & _SIGN, falling, ~falling & ~_SIGN).view(np.float32)


def _best(row: NDArray[np.float32], least: np.float32, n: int) -> Indices:
    candidates = np.flatnonzero((row >= least) & (row > -np.inf))
    # A stable sort keeps equal scores by column; ties at the threshold are cut after it.
    order = np.argsort(-row[candidates], kind="stable")[:n]
    return candidates[order].astype(np.int32)
