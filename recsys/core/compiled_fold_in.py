"""The factors of one user from behaviour, solved in compiled loops: `recsys.core.fold_in` says how.

A user has few items, and the systems are small: in steps of numpy and LAPACK each call costs more
than what it does.
"""

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled, well_behaved
from recsys.core.fold_in import Factors, Spectrum


def fold_in_user(
    item_factors: Factors,
    item_spectrum: Spectrum,
    strengths: NDArray[np.float32],
    *,
    alpha: float,
    row_regularization: float,
) -> Factors:
    """Solve what `recsys.core.fold_in.fold_in` does, by the smaller system.

    Args:
        item_factors: (m, k), the rows of Y of the m items the user touched.
        item_spectrum: of Y^T Y over all items.
        strengths: (m,), positive.

    Returns:
        (k,) user factors; zeros when m is 0.
    """
    values, vectors = item_spectrum
    rotated = item_factors @ vectors
    diagonal = values + np.float32(row_regularization)
    extra = np.float32(alpha) * well_behaved(strengths)
    # Without regularization D may have zeros, by which nothing can be divided.
    few = len(strengths) < len(values) and row_regularization > 0
    solve = _solved_by_items if few else _solved_by_factors
    return np.asarray(vectors @ solve(rotated, diagonal, extra))


def _solved_by_factors(rotated: Factors, diagonal: Factors, extra: NDArray[np.float32]) -> Factors:
    """Q^T x_u, by one equation a factor: (D + Z^T (C_u - I) Z) x = Z^T c_u."""
    system = (rotated.T * extra) @ rotated
    system.ravel()[:: len(system) + 1] += diagonal
    found: Factors = (1 + extra) @ rotated
    _solve(system, found)
    return found


@compiled
def _solved_by_items(rotated, diagonal, extra):  # type: ignore[no-untyped-def]
    """Q^T x_u, by one equation an item.

    With W^2 = C_u - I and v = W w the system is symmetric: (I + W Z D^-1 Z^T W) w = W^-1 c_u.

    Args:
        rotated: (m, k), Z.
        diagonal: (k,), D.
        extra: (m,), C_u - I; positive.
    """
    m, k = rotated.shape
    scaled, system = np.empty((m, k), np.float32), np.empty((m, m), np.float32)
    roots, found = np.sqrt(extra), np.empty(m, np.float32)
    inverse = np.float32(1) / diagonal
    for row in range(m):
        for f in range(k):
            scaled[row, f] = rotated[row, f] * inverse[f]
        for column in range(row + 1):
            product = np.float32(0)
            for f in range(k):
                product += scaled[row, f] * rotated[column, f]
            system[row, column] = roots[row] * roots[column] * product
        system[row, row] += np.float32(1)
        found[row] = (np.float32(1) + extra[row]) / roots[row]
    _solve(system, found)
    solved = np.zeros(k, np.float32)
    for row in range(m):
        weight = roots[row] * found[row]
        for f in range(k):
            solved[f] += weight * scaled[row, f]
    return solved


@compiled
def _solve(system, found):  # type: ignore[no-untyped-def]
    """Solve a symmetric system by Cholesky; of the matrix only the lower half is read.

    Both are overwritten, the right hand side by the solution. What a matrix without full rank
    leaves open is zero.
    """
    n = len(found)
    for row in range(n):
        for column in range(row):
            rest = system[row, column]
            for place in range(column):
                rest -= system[row, place] * system[column, place]
            system[row, column] = rest * system[column, column]
        pivot = system[row, row]
        for place in range(row):
            pivot -= system[row, place] * system[row, place]
        # Of the diagonal the inverse is kept, by which is multiplied.
        system[row, row] = np.float32(1) / np.sqrt(pivot) if pivot > 0 else np.float32(0)
    for row in range(n):
        rest = found[row]
        for place in range(row):
            rest -= system[row, place] * found[place]
        found[row] = rest * system[row, row]
    for row in range(n - 1, -1, -1):
        found[row] *= system[row, row]
        for place in range(row):
            found[place] -= system[row, place] * found[row]
