"""A half-step of rows whose columns are elsewhere: conjugate gradients over sums from all sides.

The same system, preconditioner and number of steps as `recsys.training.als.kernel`; only the order
in which numbers are added differs. Where the sums come from, other processes or files, is the
caller's business.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.training.als.half_step import rotated, spectrum_of
from recsys.training.als.kernel import CG_STEPS


def summed_half_step(
    residual: Factors,
    product: Callable[[Factors], Factors],
    gramian: NDArray[np.float64],
    lambdas: NDArray[np.float32],
    observed: NDArray[np.bool_],
    warm_start: Factors,
    threads: int,
) -> Factors:
    """Improve the factors of b rows.

    The sums are those of `recsys.training.als.partial_sums`, over the columns of all processes.

    Args:
        residual: (b, k) float32, the residual sums at the first guess.
        product: the product sums for directions (b, k).
        gramian: (k, k), that of the factors of all columns.
        lambdas: (b,), see `recsys.core.fold_in.row_regularization`.
        observed: (b,) bool, false for rows without entries, whose factors become zero.
        warm_start: (b, k) float32, in the basis of the columns' factors, as are the
            sums.

    Returns:
        (b, k) float32 in the same basis.
    """
    spectrum = spectrum_of(gramian)
    to, back = spectrum.vectors, np.ascontiguousarray(spectrum.vectors.T)
    diagonal: Factors = spectrum.values + lambdas[:, None]
    x = rotated(warm_start, to, threads)
    x[~observed] = 0
    r = rotated(residual, to, threads)
    r -= diagonal * x
    p: Factors = r / diagonal
    rz = _dots(r, p)
    for step in range(CG_STEPS):
        image = rotated(product(rotated(p, back, threads)), to, threads)
        image += diagonal * p
        curvature = _dots(p, image)
        # Where nothing is left to improve, the division would give nonsense.
        length = _quotient(rz, curvature)
        x += length[:, None] * p
        if step + 1 < CG_STEPS:
            r -= length[:, None] * image
            p, rz = _next_direction(p, r, diagonal, rz, curvature)
    return rotated(x, back, threads)


def _next_direction(
    p: Factors,
    r: Factors,
    diagonal: Factors,
    rz: NDArray[np.float32],
    curvature: NDArray[np.float32],
) -> tuple[Factors, NDArray[np.float32]]:
    z: Factors = r / diagonal
    after = _dots(r, z)
    z += _quotient(after, rz)[:, None] * p
    z[curvature <= 0] = 0
    return z, after


def _dots(a: Factors, b: Factors) -> NDArray[np.float32]:
    dots: NDArray[np.float32] = np.einsum("ij,ij->i", a, b)
    return dots


def _quotient(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """a / b where b is above zero, else zero."""
    quotient = np.zeros_like(a)
    np.divide(a, b, out=quotient, where=b > 0)
    return quotient
