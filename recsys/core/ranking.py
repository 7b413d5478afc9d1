"""The best n of a row of scores; the same order everywhere, also among equals."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int32]


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


def _best(row: NDArray[np.float32], least: np.float32, n: int) -> Indices:
    candidates = np.flatnonzero((row >= least) & (row > -np.inf))
    # A stable sort keeps equal scores by column; ties at the threshold are cut after it.
    order = np.argsort(-row[candidates], kind="stable")[:n]
    return candidates[order].astype(np.int32)
