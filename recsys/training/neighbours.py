"""Item neighbours: which products the same people want.

R~ = D_u^-1/2 R D_i^-a with R the strengths and D their sums, S = R~^T R~: the degree-normalised
co-occurrence of graph convolution (He et al., "LightGCN", 2020, one layer between items; there
a = 1/2). Dividing by both degrees keeps best-sellers and wholesalers from being everybody's
neighbour; with a above 1/2 popular items stand back further, which suited all data tried.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from recsys.core.compiled import cached_njit
from recsys.core.model import NO_NEIGHBOUR
from recsys.core.ranking import Indices
from recsys.training.best_of_row import keep_best_neighbours, padded_length, scratch
from recsys.training.threads import available_threads, on_threads

ITEMS_PER_BLOCK = 256
# A user with more items counts by the strongest of them: what a reseller or robot has in common
# with everything says little, and costs the square of its length.
MAX_ITEMS_PER_USER = 1000


@dataclass(frozen=True)
class NeighbourLists:
    """For each of n items up to m others.

    Attributes:
        items: (n, m) item rows, best first, equal ones by row, padded with NO_NEIGHBOUR.
        scores: (n, m) float32, zero where padded.
    """

    items: Indices
    scores: NDArray[np.float32]

    @classmethod
    def empty(cls, items: int, count: int) -> "NeighbourLists":
        """Lists of nothing but padding."""
        shape = items, count
        return cls(np.full(shape, NO_NEIGHBOUR, np.int32), np.zeros(shape, np.float32))

    def shortened(self, count: int) -> "NeighbourLists":
        """The best `count` of each."""
        return NeighbourLists(self.items[:, :count], self.scores[:, :count])


def item_neighbours(
    matrix: csr_matrix,
    eligible: NDArray[np.bool_],
    count: int,
    popularity_exponent: float = 0.5,
) -> NeighbourLists:
    """The `count` most alike eligible items of every item.

    Args:
        matrix: (u, n) strengths, positive where user and item meet.
        eligible: (n,) bool.
        popularity_exponent: a above.
    """
    by_user = _normalise(_without_long_tails(matrix), popularity_exponent)
    by_item = by_user.T.tocsr()
    items = matrix.shape[1]
    found = NeighbourLists.empty(items, count)
    fill = partial(
        _fill_block,
        *(by_item.indptr, by_item.indices, by_item.data),
        *(by_user.indptr, by_user.indices, by_user.data),
        *(eligible, found.items, found.scores),
    )
    in_blocks(fill, items)
    return found


def in_blocks(fill: Callable[[int, int], None], items: int) -> None:
    """Run `fill(start, stop)` over blocks of items, on all processors."""
    starts = range(0, items, ITEMS_PER_BLOCK)
    on_threads(
        lambda start: fill(start, min(start + ITEMS_PER_BLOCK, items)), starts, available_threads()
    )


def _normalise(strengths: csr_matrix, popularity_exponent: float) -> csr_matrix:
    by_user, by_item = (np.asarray(strengths.sum(axis=axis)).ravel() for axis in (1, 0))
    # A row or column without anything stays zero, whatever it is divided by.
    user_scale = diags(np.where(by_user > 0, by_user, 1.0) ** -0.5)
    item_scale = diags(np.where(by_item > 0, by_item, 1.0) ** -popularity_exponent)
    return (user_scale @ strengths @ item_scale).astype(np.float32).tocsr()


def _without_long_tails(matrix: csr_matrix) -> csr_matrix:
    lengths = np.diff(matrix.indptr)
    if lengths.max(initial=0) <= MAX_ITEMS_PER_USER:
        return matrix
    kept = np.ones(matrix.nnz, np.bool_)
    for user in np.flatnonzero(lengths > MAX_ITEMS_PER_USER):
        row = slice(matrix.indptr[user], matrix.indptr[user + 1])
        weakest = np.argsort(-matrix.data[row], kind="stable")[MAX_ITEMS_PER_USER:]
        kept[row.start + weakest] = False
    rows = np.repeat(np.arange(matrix.shape[0]), lengths)[kept]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=matrix.shape[0]))])
    return csr_matrix((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)


@cached_njit(nogil=True)
def _fill_block(  # type: ignore[no-untyped-def]
    item_indptr, item_users, item_data, user_indptr, user_items, user_data,
    eligible, neighbours, scores, start, stop,
):  # fmt: skip
    """Rows start to stop of S = R~^T R~, the best of each; one row is held at a time."""
    items = len(eligible)
    row = np.zeros(padded_length(items), np.float32)
    maxima, found = scratch(len(row))
    for item in range(start, stop):
        row[:] = 0
        for at in range(item_indptr[item], item_indptr[item + 1]):
            user, weight = item_users[at], item_data[at]
            for entry in range(user_indptr[user], user_indptr[user + 1]):
                row[user_items[entry]] += weight * user_data[entry]
        row[item] = 0
        keep_best_neighbours(row, eligible, maxima, found, neighbours[item], scores[item])
