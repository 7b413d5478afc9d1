"""Users' factors from histories, with a model's scoring parameters.

A user's system of `recsys.core.fold_in` in its smaller form is solved in compiled loops: a user has
few items, and in steps of numpy and LAPACK each call costs more than what it does.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled, dot, well_behaved
from recsys.core.fold_in import Factors, Spectrum, row_regularization
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.recency import faded
from recsys.core.scoring import KnownItems

# The system of items is divided by the root of it, and an alpha may be zero. A confidence of one
# and so little is one in single precision.
_LEAST_EXTRA = np.float32(1e-12)


class UserSystem(NamedTuple):
    """W^-1 = Y^T C_u Y + lambda_u I of a user who had m items, by the eigenvectors of Y^T Y.

    Attributes:
        rotated: (m, k), Z.
        diagonal: (k,), D.
        extra: (m,), the diagonal of C_u - I; positive.
        vectors: (k, k), Q.
        has_few_items: whether an equation an item is less than one a factor.
    """

    rotated: Factors
    diagonal: Factors
    extra: NDArray[np.float32]
    vectors: Factors
    has_few_items: bool

    @classmethod
    def of(
        cls,
        item_factors: Factors,
        item_spectrum: Spectrum,
        strengths: NDArray[np.float32],
        *,
        alpha: float,
        row_regularization: float,
    ) -> "UserSystem":
        """The system of a user.

        Args:
            item_factors: (m, k), the rows of Y of the m items the user touched.
            item_spectrum: of Y^T Y over all items.
            strengths: (m,), positive.
            alpha: as in training.
            row_regularization: the user's lambda, see `recsys.core.fold_in.row_regularization`.
        """
        values, vectors = item_spectrum
        return cls(
            item_factors @ vectors,
            values + np.float32(row_regularization),
            np.maximum(np.float32(alpha) * well_behaved(strengths), _LEAST_EXTRA),
            vectors,
            # Without regularization D may have zeros, by which nothing can be divided.
            len(strengths) < len(values) and row_regularization > 0,
        )

    def user_factors(self) -> Factors:
        """Fold in: W Y_u^T c_u, (k,); zeros when m is 0."""
        if self.has_few_items:
            return np.asarray(self.vectors @ _factors_by_items(*self[:3]))
        found: Factors = (1 + self.extra) @ self.rotated
        _substitute(_by_factors(self), found)
        return np.asarray(self.vectors @ found)

    def products(self, wanted: Factors) -> Factors:
        """y_j^T W y_i of each of the user's items with each of some others, (m, l).

        Args:
            wanted: (l, k), the factors of these.
        """
        rotated = wanted @ self.vectors
        if self.has_few_items:
            return np.asarray(_products_by_items(*self[:3], rotated))
        towards = np.ascontiguousarray(rotated.T)
        _substitute_all(_by_factors(self), towards)
        return np.asarray(self.rotated @ towards)


def _by_factors(system: UserSystem) -> Factors:
    """The root of D + Z^T (C_u - I) Z, (k, k)."""
    matrix = np.asarray((system.rotated.T * system.extra) @ system.rotated, np.float32)
    matrix.ravel()[:: len(matrix) + 1] += system.diagonal
    _take_root(matrix)
    return matrix


@compiled
def _by_items(rotated, diagonal, extra):  # type: ignore[no-untyped-def]
    """Z D^-1, (m, k), and the root of I + V Z D^-1 Z^T V, (m, m), with V^2 = C_u - I."""
    m, k = rotated.shape
    scaled, matrix = np.empty((m, k), np.float32), np.empty((m, m), np.float32)
    inverse = np.float32(1) / diagonal
    for row in range(m):
        for f in range(k):
            scaled[row, f] = rotated[row, f] * inverse[f]
        for column in range(row + 1):
            product = np.float32(0)
            for f in range(k):
                product += scaled[row, f] * rotated[column, f]
            matrix[row, column] = np.sqrt(extra[row]) * np.sqrt(extra[column]) * product
        matrix[row, row] += np.float32(1)
    _take_root(matrix)
    return scaled, matrix


@compiled
def _factors_by_items(rotated, diagonal, extra):  # type: ignore[no-untyped-def]
    """Q^T x_u = D^-1 Z^T V w, (I + V Z D^-1 Z^T V) w = V^-1 c_u."""
    scaled, root = _by_items(rotated, diagonal, extra)
    m, k = rotated.shape
    found, solved = np.empty(m, np.float32), np.zeros(k, np.float32)
    for row in range(m):
        found[row] = (np.float32(1) + extra[row]) / np.sqrt(extra[row])
    _substitute(root, found)
    for row in range(m):
        weight = np.sqrt(extra[row]) * found[row]
        for f in range(k):
            solved[f] += weight * scaled[row, f]
    return solved


@compiled
def _products_by_items(rotated, diagonal, extra, wanted):  # type: ignore[no-untyped-def]
    """V^-1 (I + V Z D^-1 Z^T V)^-1 V Z D^-1 Q^T Y_w^T, (m, l), of Y_w Q, (l, k)."""
    scaled, root = _by_items(rotated, diagonal, extra)
    found = np.empty((len(rotated), len(wanted)), np.float32)
    for row in range(len(rotated)):
        for column in range(len(wanted)):
            found[row, column] = np.sqrt(extra[row]) * dot(scaled[row], wanted[column])
    _substitute_all(root, found)
    for row in range(len(found)):
        found[row] /= np.sqrt(extra[row])
    return found


@compiled
def _take_root(matrix):  # type: ignore[no-untyped-def]
    """Put its Cholesky factor in the place of a symmetric matrix, but of the diagonal the inverse.

    Only the lower half is read and written. What a matrix without full rank leaves open is zero.
    """
    for row in range(len(matrix)):
        for column in range(row):
            rest = matrix[row, column]
            for place in range(column):
                rest -= matrix[row, place] * matrix[column, place]
            matrix[row, column] = rest * matrix[column, column]
        pivot = matrix[row, row]
        for place in range(row):
            pivot -= matrix[row, place] * matrix[row, place]
        matrix[row, row] = np.float32(1) / np.sqrt(pivot) if pivot > 0 else np.float32(0)


@compiled
def _substitute(root, found):  # type: ignore[no-untyped-def]
    """Put the solution in the place of a right hand side, (n,)."""
    for row in range(len(found)):
        rest = found[row]
        for place in range(row):
            rest -= root[row, place] * found[place]
        found[row] = rest * root[row, row]
    for row in range(len(found) - 1, -1, -1):
        found[row] *= root[row, row]
        for place in range(row):
            found[place] -= root[row, place] * found[row]


@compiled
def _substitute_all(root, found):  # type: ignore[no-untyped-def]
    """`_substitute` of several right hand sides, (n, l)."""
    n, count = found.shape
    for row in range(n):
        for place in range(row):
            for column in range(count):
                found[row, column] -= root[row, place] * found[place, column]
        for column in range(count):
            found[row, column] *= root[row, row]
    for row in range(n - 1, -1, -1):
        for column in range(count):
            found[row, column] *= root[row, row]
        for place in range(row):
            for column in range(count):
                found[place, column] -= root[row, place] * found[row, column]


def history_factors(items: ItemModel, params: ScoringParams, history: History) -> Factors:
    """Fold in: the factors that training would give a user of this history, (k,)."""
    seen = KnownItems.of(items, history.items)
    return faded_history_factors(items, params, faded(history, params.step_half_life), seen)


def faded_history_factors(
    items: ItemModel, params: ScoringParams, history: History, seen: KnownItems
) -> Factors:
    """`history_factors` of a history with what is left of its strengths.

    Args:
        seen: the items of the history.
    """
    liked = history.strengths > 0
    own_factors = seen.factors.take(seen.places[liked], axis=0)
    return user_system(items, params, own_factors, history.strengths[liked]).user_factors()


def user_system(
    items: ItemModel, params: ScoringParams, own_factors: Factors, strengths: NDArray[np.float32]
) -> UserSystem:
    """The system of a user.

    Args:
        own_factors: (m, k) those of the user's items.
        strengths: (m,) what recency has left of them; positive.
    """
    return UserSystem.of(
        own_factors,
        items.spectrum,
        strengths,
        alpha=params.alpha,
        row_regularization=user_lambda(items, params, strengths),
    )


def user_lambda(items: ItemModel, params: ScoringParams, strengths: NDArray[np.float32]) -> float:
    """The lambda of a user with these positive strengths, of which recency has left so much."""
    return float(
        row_regularization(
            strengths.sum(),
            len(items.ids) if params.known_items is None else params.known_items,
            alpha=params.alpha,
            regularization=params.regularization,
            frequency_weight=params.frequency_weight,
        )
    )
