"""Neighbours of items with little behaviour: what goes with the items that are like them.

With neighbour scores S (row j: what goes with item j), the weights A of alike items and w of what
content is trusted for an item, every item is replaced by a mix of itself and of those like it:

    S' = M S M^T diag(c),   M = I - diag(w) + diag(w) A

Rows of M add up to one, so scores stay what they were in size. An item without behaviour has the
list that alike items have, and is found where they are found, as far as its chance to sell goes, c.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from recsys.core.ranking import Indices
from recsys.training.content.alike import list_matrix
from recsys.training.content.sparse_products import best_products, first_of_rows

# An item shares its place in the lists of others with itself and so many that are like it at most,
# those that lean on it most: a favourite among thousands of new ones has not a place for each.
MAX_SHARES = 100


def smoothed_neighbours(
    neighbours: Indices,
    scores: NDArray[np.float32],
    alike: csr_matrix,
    trust: NDArray[np.float32],
    chances: NDArray[np.float32],
    eligible: NDArray[np.bool_],
) -> tuple[Indices, NDArray[np.float32]]:
    """The best of each row of S' above; of M S, on the way, only as many are kept.

    Args:
        neighbours, scores: (n, m), the lists of S as in `recsys.core.model`.
        alike: (n, n) A, see `recsys.training.content.alike`.
        trust: (n,) w, in 0..1.
        chances: (n,) c, above 0, at most 1, see `recsys.training.content.expected_sales`.
        eligible: (n,) bool, the items that a list may name.

    Returns:
        Lists of the same shape, best first, padded with NO_NEIGHBOUR and zeros.
    """
    mix = (diags(1 - trust) + diags(trust) @ alike).astype(np.float32).tocsr()
    everything, count = np.ones(len(trust), np.bool_), neighbours.shape[1]
    rows = best_products(mix, list_matrix(neighbours, scores), everything, count)
    shares = (diags(chances) @ mix).astype(np.float32).T.tocsr()
    shares = first_of_rows(shares, shares.data, MAX_SHARES)
    return best_products(list_matrix(*rows), shares, eligible, count)
