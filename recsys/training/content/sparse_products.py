"""The largest entries of each row of a sparse matrix, and of a product of two."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.compiled import cached_njit
from recsys.core.model import NO_NEIGHBOUR
from recsys.core.ranking import Indices
from recsys.training.threads import available_threads, on_threads

_ROWS_PER_BLOCK = 1024
_compiled = cached_njit(nogil=True)


def best_products(
    left: csr_matrix, right: csr_matrix, listed: NDArray[np.bool_], count: int
) -> tuple[Indices, NDArray[np.float32]]:
    """The `count` largest entries of each row of left @ right, without the diagonal.

    Args:
        left: (n, p), nothing below zero.
        right: (p, n), nothing below zero.
        listed: (n,) bool, the columns that count.

    Returns:
        Columns (n, count), largest entry first, equal ones by column, padded with NO_NEIGHBOUR; the
        entries, same shape, float32, above zero, zero where padded.
    """
    rows = left.shape[0]
    columns = np.full((rows, count), NO_NEIGHBOUR, np.int32)
    entries = np.zeros((rows, count), np.float32)
    fill_rows = partial(
        _fill_rows,
        *(left.indptr, left.indices, left.data.astype(np.float32, copy=False)),
        *(right.indptr, right.indices, right.data.astype(np.float32, copy=False)),
        *(listed, columns, entries),
    )

    def fill(start: int) -> None:
        fill_rows(start, min(start + _ROWS_PER_BLOCK, rows))

    on_threads(fill, range(0, rows, _ROWS_PER_BLOCK), available_threads())
    return columns, entries


def first_of_rows(matrix: csr_matrix, keys: NDArray[np.number], count: int) -> csr_matrix:
    """At most `count` entries of each row, those of the largest keys, equal ones by column.

    Args:
        keys: (nnz,), of the entries in their order.
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -keys, rows))
    ranks = np.arange(len(order)) - matrix.indptr[rows]
    kept = order[ranks < count]
    return csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), matrix.shape)


@_compiled
def _fill_rows(  # type: ignore[no-untyped-def]
    left_indptr, left_indices, left_data, right_indptr, right_indices, right_data,
    listed, columns, entries, start, stop,
):  # fmt: skip
    sums = np.zeros(len(listed), np.float32)
    touched = np.empty(len(listed), np.int32)
    for row in range(start, stop):
        count = 0
        for at in range(left_indptr[row], left_indptr[row + 1]):
            middle, factor = left_indices[at], left_data[at]
            for entry in range(right_indptr[middle], right_indptr[middle + 1]):
                column, product = right_indices[entry], factor * right_data[entry]
                if sums[column] == 0 and product > 0:
                    touched[count] = column
                    count += 1
                sums[column] += product
        for place in range(count):
            column = touched[place]
            if column != row and listed[column]:
                _insert(columns[row], entries[row], column, sums[column])
            sums[column] = 0


@_compiled
def _insert(columns, entries, column, entry):  # type: ignore[no-untyped-def]
    """Put a column into its place among the best of a row, if it is one of them."""
    place = len(entries)
    while place > 0 and (
        entries[place - 1] < entry or (entries[place - 1] == entry and columns[place - 1] > column)
    ):
        place -= 1
    for later in range(len(entries) - 1, place, -1):
        columns[later], entries[later] = columns[later - 1], entries[later - 1]
    if place < len(entries):
        columns[place], entries[place] = column, entry
