"""Factors of one user from behaviour, without training: the user half-step of ALS.

Also its terms, confidence and regularization: one calculation for training, serving and notebooks.

Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (2008), equation 4:
x_u = (Y^T C_u Y + lambda_u I)^-1 Y^T C_u p_u, with Y^T C_u Y = Y^T Y + Y_u^T (C_u - I) Y_u over the
user's items only.

That is a system of as many equations as there are factors. Most users have fewer items, and by the
Woodbury identity as many equations as these have items do: with Y^T Y = Q V Q^T, D = V + lambda_u I
and Z = Y_u Q,

    x_u = Q D^-1 Z^T v,  (I + (C_u - I) Z D^-1 Z^T) v = c_u
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Factors = NDArray[np.float32]


def confidence(strength: ArrayLike, alpha: float) -> NDArray[np.float32]:
    """c_ui = 1 + alpha * r_ui for positive strengths (Hu et al., section 4); 1 where unobserved.

    r_ui, the strength, is the sum over the pair's events, see `recsys.core.strength`.
    """
    return (1.0 + alpha * np.asarray(strength, dtype=np.float32)).astype(np.float32)


def row_regularization(
    strength_sums: ArrayLike,
    columns: int,
    *,
    alpha: float,
    regularization: float,
    frequency_weight: float,
) -> NDArray[np.float32]:
    """Lambda of each row, weighted by how often it occurs.

    Rendle, Krichene, Zhang, Koren, "Revisiting the Performance of iALS on Item Recommendation
    Benchmarks" (2021), section 3.3, hold a row back by the confidence of all its pairs; Spark's
    MLlib (Zhou et al., "Large-Scale Parallel Collaborative Filtering", 2008) by the number of
    observed ones alone. Both are cases of

        lambda_row = regularization * (columns + frequency_weight * alpha * sum of its strengths)

    with a frequency weight of one, and of infinity with a regularization that shrinks as much; what
    is best lies between them. Rows with more behaviour are held back more, and so are those of a
    shop with more items; one lambda for all rows does neither. (The paper's weight of unobserved
    pairs, alpha_0, is 1 / alpha here, where these have confidence 1.)

    Args:
        strength_sums: (rows,) sums of the rows' strengths, or one of them.
        columns: how many pairs a row has, observed or not: the items for a user.

    Returns:
        float32, of the same shape.
    """
    observed = alpha * np.asarray(strength_sums, np.float64)
    return (regularization * (columns + frequency_weight * observed)).astype(np.float32)


def gramian(factors: Factors) -> Factors:
    """Y^T Y, shape (k, k)."""
    return factors.T @ factors


class Spectrum(NamedTuple):
    """The gramian as Q V Q^T: its eigenvalues, (k,), and eigenvectors Q, (k, k)."""

    values: Factors
    vectors: Factors


def spectrum(item_gramian: NDArray[np.floating]) -> Spectrum:
    """Decompose a gramian.

    The largest component of each vector is positive. LAPACK leaves the sign open, and it has
    changed from one call to the next with equal values.
    """
    values, vectors = np.linalg.eigh(item_gramian.astype(np.float64))
    largest = np.abs(vectors).argmax(axis=0)
    vectors *= np.where(vectors[largest, np.arange(len(vectors))] < 0, -1.0, 1.0)
    # Rounding may leave a zero below zero.
    return Spectrum(np.maximum(values, 0).astype(np.float32), vectors.astype(np.float32))


def normal_system(
    item_factors: Factors,
    item_gramian: Factors,
    strengths: NDArray[np.float32],
    *,
    alpha: float,
    row_regularization: float,
) -> Factors:
    """Y^T C_u Y + lambda_u I, the matrix of one user's system, (k, k).

    Args:
        item_factors: (m, k), the rows of Y of the m items the user touched.
        item_gramian: (k, k), Y^T Y over all items.
        strengths: (m,), positive.
        alpha: as in training.
        row_regularization: the user's lambda, see `row_regularization`.
    """
    extra = confidence(strengths, alpha) - 1.0
    system = np.asarray(item_gramian + (item_factors.T * extra) @ item_factors, np.float32)
    system[np.diag_indices_from(system)] += row_regularization
    return system


def fold_in(
    item_factors: Factors,
    item_gramian: Factors,
    strengths: NDArray[np.float32],
    *,
    alpha: float,
    row_regularization: float,
) -> Factors:
    """Solve one user's factors by the paper's equation: the oracle of `user_factors`.

    The arguments are those of `normal_system`.

    Returns:
        (k,) user factors; zeros when m is 0.
    """
    system = normal_system(
        item_factors, item_gramian, strengths, alpha=alpha, row_regularization=row_regularization
    )
    return np.linalg.solve(system, item_factors.T @ confidence(strengths, alpha)).astype(np.float32)
