"""The loss that ALS minimises, exactly: what kernels, strategies and peers are compared by."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.fold_in import Factors, confidence
from recsys.training.als.half_step import gramian_of

_ENTRIES_PER_BLOCK = 1_000_000


def als_loss(
    strengths: csr_matrix,
    alpha: float,
    user_factors: Factors,
    item_factors: Factors,
    user_lambdas: NDArray[np.float32],
    item_lambdas: NDArray[np.float32],
) -> float:
    """Sum over all pairs of c_ui (p_ui - x_u . y_i)^2, plus each row's lambda |row|^2.

    Hu, Koren, Volinsky (2008), equation 3, with p_ui one where observed. The sum over all pairs is
    that of (x_u . y_i)^2 = trace(X^T X Y^T Y), corrected where pairs are observed.

    Args:
        strengths: (u, n), positive where observed.
        user_lambdas, item_lambdas: (u,), (n,).
    """
    everywhere = float(np.sum(gramian_of(user_factors) * gramian_of(item_factors)))
    rows = np.repeat(np.arange(strengths.shape[0]), np.diff(strengths.indptr))
    observed = 0.0
    for start in range(0, strengths.nnz, _ENTRIES_PER_BLOCK):
        some = slice(start, start + _ENTRIES_PER_BLOCK)
        x, y = user_factors[rows[some]], item_factors[strengths.indices[some]]
        predicted = np.einsum("ij,ij->i", x, y).astype(np.float64)
        confidences = confidence(strengths.data[some], alpha).astype(np.float64)
        observed += float(np.sum(confidences * (1 - predicted) ** 2 - predicted**2))
    penalty = _penalty(user_factors, user_lambdas) + _penalty(item_factors, item_lambdas)
    return everywhere + observed + penalty


def _penalty(factors: Factors, lambdas: NDArray[np.float32]) -> float:
    squares = np.einsum("ij,ij->i", factors, factors)
    return float(np.sum(lambdas * squares, dtype=np.float64))
