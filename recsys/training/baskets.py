"""Items bought together: what stands in one basket more often than chance puts it there.

    score_ij = sqrt(lift_ij * support_ij) = n_ij / sqrt(n_i n_j)

with n_ij the baskets that hold both items, n_i those that hold one, N all of them, lift_ij =
n_ij N / (n_i n_j) and support_ij = n_ij / N. Lift alone puts pairs of rare items first, support
alone those of best-sellers; docs/decisions/0020-baskets.md has both beside their product. (Lift:
Brin et al., "Dynamic itemset counting", 1997.)
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.compiled import cached_njit
from recsys.training.best_of_row import keep_best_neighbours, padded_length, scratch
from recsys.training.neighbours import NeighbourLists, in_blocks

# Two screens of a product page. A basket adds up those of all its items.
PARTNERS = 20
# Two baskets with the same two of thousands of items are a coincidence more often than three.
MIN_BASKETS = 3
# A larger one is a reseller's order: it says that a shop sells both, costs the square of its
# length, and makes what is found worse.
MAX_BASKET_ITEMS = 100
_compiled = cached_njit(nogil=True)


@dataclass(frozen=True)
class Purchases:
    """Lines of orders, in any order; equal ones may repeat.

    Attributes:
        items: (e,) int32 item rows.
        baskets: (e,) int64, equal for the lines of one basket.
    """

    items: NDArray[np.int32]
    baskets: NDArray[np.int64]


def bought_together(
    purchases: Purchases, eligible: NDArray[np.bool_], count: int = PARTNERS
) -> NeighbourLists:
    """The `count` eligible items that are bought most with each of n items.

    Only pairs of MIN_BASKETS baskets or more with a lift above one are listed.

    Args:
        eligible: (n,) bool.
    """
    items = len(eligible)
    by_basket = _basket_matrix(purchases, items)
    by_item = by_basket.T.tocsr()
    found = NeighbourLists.empty(items, count)
    fill = partial(
        _fill_block,
        *(by_item.indptr, by_item.indices, by_basket.indptr, by_basket.indices),
        *(by_basket.shape[0], eligible, found.items, found.scores),
    )
    in_blocks(fill, items)
    return found


def _basket_matrix(purchases: Purchases, items: int) -> csr_matrix:
    """(b, n) one where a basket holds an item, without baskets that are too large."""
    ids, rows = np.unique(purchases.baskets, return_inverse=True)
    ones = np.ones(len(rows), np.int32)
    matrix = csr_matrix((ones, (rows, purchases.items)), shape=(len(ids), items))
    matrix.sum_duplicates()
    return matrix[np.diff(matrix.indptr) <= MAX_BASKET_ITEMS]


@_compiled
def _fill_block(  # type: ignore[no-untyped-def]
    item_indptr, item_baskets, basket_indptr, basket_items, baskets,
    eligible, partners, scores, start, stop,
):  # fmt: skip
    """Rows start to stop of the scores, the best of each; one row is held at a time."""
    items = len(eligible)
    row = np.zeros(padded_length(items), np.float32)
    maxima, found = scratch(len(row))
    for item in range(start, stop):
        row[:] = 0
        for at in range(item_indptr[item], item_indptr[item + 1]):
            basket = item_baskets[at]
            for entry in range(basket_indptr[basket], basket_indptr[basket + 1]):
                row[basket_items[entry]] += 1
        row[item] = 0
        own = float(item_indptr[item + 1] - item_indptr[item])
        for other in range(items):
            if row[other] > 0:
                both = float(item_indptr[other + 1] - item_indptr[other]) * own
                listed = row[other] >= MIN_BASKETS and row[other] * baskets > both
                row[other] = row[other] / np.sqrt(both) if listed else 0
        keep_best_neighbours(row, eligible, maxima, found, partners[item], scores[item])
