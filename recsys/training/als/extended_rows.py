"""A lambda of each row's own, for a solver that takes one lambda for all rows.

The GPU solver of `implicit` solves, for each row u of a sparse matrix with values c,

    (G + sum_i (|c_ui| - 1) y_i y_i^T) x_u = sum_i max(c_ui, 0) y_i,   G = Y^T Y + lambda I

over the row's entries i: a negative value adds to the system's matrix, but not to its right side.
G is handed in. So Y gets k more rows, the unit vectors e_f, which G knows nothing of, and each row
of the matrix an entry of -(1 + extra_u) in each of their k columns, which adds up to

    sum_f extra_u e_f e_f^T = extra_u I

With the smallest lambda of all rows in G, a row's extra is what its own lambda is above that.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from recsys.core.fold_in import confidence

# The solver's offsets have 32 bits. Far below them, since a block is made on the host first.
MAX_ENTRIES = 2**25


def extended_blocks(
    strengths: csr_matrix,
    extra: NDArray[np.float32],
    alpha: float,
    k: int,
    max_entries: int = MAX_ENTRIES,
) -> Iterator[tuple[slice, csr_matrix]]:
    """The rows in blocks, each extended to what the GPU solver is to be given.

    Every block has an entry: the solver cannot be given one that has none.

    Args:
        strengths: (b, n), positive where observed, at least one.
        extra: (b,) float32, not negative, what a row's lambda is above that of all rows.
        max_entries: of a block, unless a single row has more.

    Yields:
        Which rows, and their values (rows, n + k), float32 with int32 indices. Rows without
        behaviour stay without entries, as the solver makes their factors zero.
    """
    indptr = strengths.indptr.astype(np.int64)
    for start, stop in _row_blocks(indptr, k, max_entries):
        some = slice(indptr[start], indptr[stop])
        observed = csr_matrix(
            (
                confidence(strengths.data[some], alpha),
                strengths.indices[some].astype(np.int32, copy=False),
                (indptr[start : stop + 1] - indptr[start]).astype(np.int32),
            ),
            shape=(stop - start, strengths.shape[1]),
        )
        rows = slice(start, stop)
        yield rows, hstack([observed, _diagonals(observed, extra[rows], k)], format="csr")


def _diagonals(observed: csr_matrix, extra: NDArray[np.float32], k: int) -> csr_matrix:
    """The entries that add a row's extra to the diagonal of its system, (rows, k)."""
    extended = (extra > 0) & (np.diff(observed.indptr) > 0)
    values = np.repeat(-(1 + extra[extended]), k)
    columns = np.tile(np.arange(k, dtype=np.int32), np.count_nonzero(extended))
    indptr = np.concatenate([[0], np.cumsum(extended * k)]).astype(np.int32)
    return csr_matrix((values, columns, indptr), shape=(len(extra), k))


def _row_blocks(indptr: NDArray[np.int64], k: int, max_entries: int) -> Iterator[tuple[int, int]]:
    """Runs of rows that have, all extended, no more than so many entries."""
    pairs = np.diff(indptr)
    extended = np.where(pairs > 0, pairs + k, 0)
    entries = np.concatenate([[0], np.cumsum(extended)])
    # Else empty rows before the longest one would be a block of their own, without entries.
    most = max(max_entries, int(extended.max()))
    start, rows = 0, len(pairs)
    while start < rows:
        stop = int(np.searchsorted(entries, entries[start] + most, side="right")) - 1
        yield start, stop
        start = stop
