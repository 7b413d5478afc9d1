"""EASE: a linear item-item model in closed form (Steck, 2019).

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data". With X (u, n) one where a user had an
item,

    P = (X^T X + lambda I)^-1,    B_ij = -P_ij / P_jj for i != j,    B_jj = 0,    scores = X B
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.core.scoring import Scores
from recsys.evaluation.ranked_lists import ScoreFunction
from recsys.training.interactions import InteractionMatrix

# A dense matrix of all items is inverted: 6 GB and minutes of all processors here.
MAX_ITEMS = 20_000
# Lambda is this times the root of the mean number of users an item has. The paper's lambdas lie
# within about a factor of two of it: MovieLens-20M 500 (497 users an item), Netflix 1000 (3,202),
# the Million Song Dataset 200 (816).
_REGULARIZATION = 15.0


def ease(pairs: InteractionMatrix) -> ScoreFunction:
    """Fit with lambda by the rule above, whatever the strengths.

    Raises:
        ConfigurationError: when there are more items than MAX_ITEMS.
    """
    check_size(pairs)
    owned = _owned(pairs)
    weights = item_weights(owned, regularization(owned))

    def scores(users: NDArray[np.int64]) -> Scores:
        return np.asarray(owned[users] @ weights, np.float32)

    return scores


def check_size(pairs: InteractionMatrix) -> None:
    """
    Raises:
        ConfigurationError: when there are too many items.
    """
    items = len(pairs.items)
    if items > MAX_ITEMS:
        raise ConfigurationError(
            f"ease inverts a matrix of all items and takes at most {MAX_ITEMS:,}; there are"
            f" {items:,}: leave this baseline out"
        )


def regularization(owned: csr_matrix) -> float:
    """Lambda, by the rule that stands with its constant."""
    return float(_REGULARIZATION * np.sqrt(owned.nnz / owned.shape[1]))


def item_weights(owned: csr_matrix, lambda_: float) -> NDArray[np.float32]:
    """B above, (n, n).

    Args:
        owned: X above, with at least one entry.
        lambda_: above zero.
    """
    # Columns first, so that LAPACK works in place.
    matrix = (owned.T @ owned).astype(np.float64).toarray(order="F")
    matrix[np.diag_indices_from(matrix)] += lambda_
    factor, _ = lapack.dpotrf(matrix, lower=True, overwrite_a=True)
    inverse, _ = lapack.dpotri(factor, lower=True, overwrite_c=True)
    # Only the lower triangle is there.
    weights: NDArray[np.float32] = np.tril(inverse).astype(np.float32)
    weights += np.tril(weights, -1).T
    weights /= -np.diag(inverse).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


def _owned(pairs: InteractionMatrix) -> csr_matrix:
    matrix = pairs.matrix()
    matrix.data = np.ones_like(matrix.data)
    return matrix
