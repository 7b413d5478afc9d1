"""Item-based nearest neighbours (Sarwar et al., 2001; Deshpande & Karypis, 2004)."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from recsys.core.scoring import Scores
from recsys.evaluation.ranked_lists import ScoreFunction
from recsys.training.interactions import InteractionMatrix

NEIGHBOURS = 100
# Added to the product of lengths, so that two items that two users happened to share are less alike
# than two that hundreds did (Ferrari Dacrema et al., "Are We Really Making Much Progress?", 2019).
SHRINKAGE = 2.0
ITEMS_PER_BLOCK = 512


def item_knn(pairs: InteractionMatrix) -> ScoreFunction:
    """score(u, i) = sum over j in the history of u of s_ji, whatever the strengths.

    s_ji = users of both / (sqrt(users of j * users of i) + shrinkage) where i is among the 100
    items most alike to j, else zero.
    """
    matrix = pairs.matrix()
    matrix.data = np.ones_like(matrix.data)
    similarities = neighbour_matrix(matrix, NEIGHBOURS, SHRINKAGE)

    def scores(users: NDArray[np.int64]) -> Scores:
        return np.asarray((matrix[users] @ similarities).toarray(), np.float32)

    return scores


def neighbour_matrix(matrix: csr_matrix, count: int, shrinkage: float) -> csr_matrix:
    """Row j holds the shrunk cosines of the `count` items most alike to item j, not itself.

    Args:
        matrix: (u, n), one where a user had an item.
    """
    lengths = np.sqrt(matrix.getnnz(axis=0))
    transposed = matrix.T.tocsr()
    blocks = []
    for start in range(0, matrix.shape[1], ITEMS_PER_BLOCK):
        together = (transposed[start : start + ITEMS_PER_BLOCK] @ matrix).tocsr()
        rows = np.repeat(np.arange(together.shape[0]), np.diff(together.indptr)) + start
        together.data /= lengths[rows] * lengths[together.indices] + shrinkage
        together.data[rows == together.indices] = 0
        blocks.append(_best_of_rows(together, count))
    return vstack(blocks, format="csr", dtype=np.float32)


def _best_of_rows(block: csr_matrix, count: int) -> csr_matrix:
    """The `count` highest entries of each row; others and zeros go."""
    for start, stop in zip(block.indptr[:-1], block.indptr[1:], strict=True):
        row = block.data[start:stop]
        if len(row) > count:
            row[np.argpartition(row, len(row) - count)[: len(row) - count]] = 0
    block.eliminate_zeros()
    return block
