"""Partial sums of the systems of rows over the columns of one block, compiled.

When the columns of a row (the users of an item) lie in several processes, none can solve the row's
system alone. But conjugate gradients only need products with it, and those are sums over columns
(`recsys.training.als.kernel` has the system): each process sums over its own columns, and the sums
add up. Factors of columns never move.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import literally, njit  # type: ignore[attr-defined]
from scipy.sparse import csr_matrix

from recsys.core.compiled import cached_njit
from recsys.core.fold_in import Factors
from recsys.training.als.half_step import row_runs
from recsys.training.als.kernel import add_weighted, gather_and_dot, weigh
from recsys.training.threads import on_threads

# Rows are read once a pass, so their buffer should stay in the first-level cache.
_PIECE_ROWS = 128
_RUNS_PER_THREAD = 16
_f4 = np.float32


def residual_sums(
    strengths: csr_matrix, alpha: float, row_factors: Factors, factors: Factors, threads: int
) -> Factors:
    """The sum over a row's columns of (1 + w - w x.y) x, for each row y: right side minus product.

    Args:
        strengths: (b, n), positive where observed; w = alpha * strength.
        row_factors: (b, k) float32, the vectors y.
        factors: (n, k) float32, the vectors x of the columns.

    Returns:
        (b, k) float32.
    """
    return _sums(strengths, alpha, row_factors, factors, threads, residual=True)


def product_sums(
    strengths: csr_matrix, alpha: float, directions: Factors, factors: Factors, threads: int
) -> Factors:
    """The sum over a row's columns of w (x.p) x, for each row p; otherwise as `residual_sums`."""
    return _sums(strengths, alpha, directions, factors, threads, residual=False)


def _sums(
    strengths: csr_matrix,
    alpha: float,
    vectors: Factors,
    factors: Factors,
    threads: int,
    residual: bool,
) -> Factors:
    sums = np.zeros((strengths.shape[0], factors.shape[1]), np.float32)
    add = _summer(factors.shape[1])
    indptr, columns = strengths.indptr.astype(np.int64), strengths.indices

    def run(rows: tuple[int, int]) -> None:
        data = strengths.data
        add(indptr, columns, data, _f4(alpha), residual, vectors, factors, sums, *rows)

    on_threads(run, row_runs(indptr, threads * _RUNS_PER_THREAD), threads)
    return sums


@cached_njit(nogil=True, fastmath=True, error_model="numpy")
def _sums_of_rows(  # type: ignore[no-untyped-def]
    indptr, columns, strengths, alpha, residual, vectors, factors, sums, start, stop, k
):
    literally(k)
    buffer = np.empty((_PIECE_ROWS, k), _f4)
    weights, dots = np.empty(_PIECE_ROWS, _f4), np.empty(_PIECE_ROWS, _f4)
    end = indptr[stop]
    for row in range(start, stop):
        last = indptr[row + 1]
        for at in range(indptr[row], last, _PIECE_ROWS):
            n = min(_PIECE_ROWS, last - at)
            gather_and_dot(columns, at, n, end, factors, vectors[row], buffer, dots, k)
            weigh(strengths, alpha, at, n, weights)
            for j in range(n):
                dots[j] = (
                    _f4(1) + weights[j] * (_f4(1) - dots[j]) if residual else weights[j] * dots[j]
                )
            add_weighted(buffer, dots, n, sums[row], k)


@cache
def _summer(k: int) -> Callable[..., None]:
    @njit(nogil=True)
    def add(  # type: ignore[no-untyped-def]
        indptr, columns, strengths, alpha, residual, vectors, factors, sums, start, stop
    ):
        _sums_of_rows(
            indptr, columns, strengths, alpha, residual, vectors, factors, sums, start, stop, k
        )

    return add
