"""Item neighbours: which products the same people want.

R~ = D_u^-1/2 R D_i^-1/2 with R the strengths and D their sums, S = R~^T R~: the degree-normalised
co-occurrence of graph convolution (He et al., "LightGCN", 2020, one layer between items). Dividing
by both degrees keeps best-sellers and wholesalers from being everybody's neighbour.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from recsys.core.model import NO_NEIGHBOUR
from recsys.core.ranking import Indices, top_n

ITEMS_A_BLOCK = 1024


def item_neighbours(
    matrix: csr_matrix, eligible: NDArray[np.bool_], count: int
) -> tuple[Indices, NDArray[np.float32]]:
    """The `count` most alike eligible items of every item.

    Args:
        matrix: (u, n) strengths, positive where user and item meet.
        eligible: (n,) bool.

    Returns:
        Neighbours (n, count), best first, padded with NO_NEIGHBOUR; their scores, same shape.
    """
    normalised = _normalise(matrix)
    items = matrix.shape[1]
    neighbours = np.full((items, count), NO_NEIGHBOUR, np.int32)
    scores = np.zeros((items, count), np.float32)
    transposed = normalised.T.tocsr()
    for start in range(0, items, ITEMS_A_BLOCK):
        block = (transposed[start : start + ITEMS_A_BLOCK] @ normalised).toarray()
        block[:, ~eligible] = -np.inf
        block[block == 0] = -np.inf
        for offset, row in enumerate(block):
            row[start + offset] = -np.inf
            best = top_n(row, count)
            neighbours[start + offset, : len(best)] = best
            scores[start + offset, : len(best)] = row[best]
    return neighbours, scores


def _normalise(strengths: csr_matrix) -> csr_matrix:
    by_user, by_item = (np.asarray(strengths.sum(axis=axis)).ravel() for axis in (1, 0))
    # A row or column without anything stays zero, whatever it is divided by.
    scales = [diags(np.where(sums > 0, sums, 1.0) ** -0.5) for sums in (by_user, by_item)]
    return (scales[0] @ strengths @ scales[1]).astype(np.float32).tocsr()
