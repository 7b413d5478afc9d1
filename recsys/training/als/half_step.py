"""One half-step of ALS: all rows of one side solved against the factors of the other.

The same for users and items, for one process and for the shards of many: a half-step over a shard
of rows gives what a half-step over all rows gives for them.
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.fold_in import Factors, Spectrum, row_regularization, spectrum
from recsys.training.als.kernel import rows_solver
from recsys.training.als.settings import AlsSettings
from recsys.training.threads import on_threads, one_blas_thread

# Many blocks a thread, so that none waits long for another one's giant rows.
_BLOCKS_PER_THREAD = 16
# What a row costs beside its entries, in entries, and of what cost a run is worth a thread.
_ROW_COST = 4
_MIN_RUN_COST = 4096
_BLAS_ROWS = 16_384
# Half-steps, after the last iteration, that bring the users' factors to what fold-in finds.
PROJECTIONS = 3
_MIN_SHARE = 1e-6
_MIN_VALUE = 1e-30


def gramian_of(factors: Factors) -> NDArray[np.float64]:
    """Y^T Y, (k, k), summed over blocks of rows in float64: equal for any number of threads."""
    k = factors.shape[1]
    total = np.zeros((k, k))
    with one_blas_thread():
        for start in range(0, len(factors), _BLAS_ROWS):
            block = factors[start : start + _BLAS_ROWS]
            total += block.T @ block
    return total


def spectrum_of(gramian: NDArray[np.float64]) -> Spectrum:
    """`spectrum` with values above zero, equal for any number of threads."""
    with one_blas_thread():
        found = spectrum(gramian)
    # With more factors than the data has rank some values are zero, and a row's system without
    # lambda has no inverse; float32 cannot tell this little more from nothing.
    least = max(found.values[-1] * _MIN_SHARE, _MIN_VALUE)
    return found._replace(values=np.maximum(found.values, least))


def solve_rows(
    strengths: csr_matrix,
    lambdas: NDArray[np.float32],
    alpha: float,
    eigenvalues: NDArray[np.float32],
    factors: Factors,
    warm_start: Factors,
    threads: int,
) -> Factors:
    """Improve the factors of some rows by the conjugate gradients of `recsys.training.als.kernel`.

    Args:
        strengths: (b, n), positive where observed.
        lambdas: (b,), see `recsys.core.fold_in.row_regularization`.
        eigenvalues: (k,), of the gramian of all n factors, which are given in its eigenbasis.
        factors: (n, k) float32, those of the columns.
        warm_start: (b, k) float32, in the same basis.

    Returns:
        (b, k) float32.
    """
    solved = np.array(warm_start, np.float32, order="C")
    solve = rows_solver(factors.shape[1])
    indptr, columns = strengths.indptr.astype(np.int64), strengths.indices

    def run(block: tuple[int, int]) -> None:
        data = strengths.data
        solve(
            indptr, columns, data, np.float32(alpha), lambdas, eigenvalues, factors, solved, *block
        )

    on_threads(run, row_runs(indptr, threads * _BLOCKS_PER_THREAD), threads)
    return solved


def half_step(
    strengths: csr_matrix,
    lambdas: NDArray[np.float32],
    alpha: float,
    factors: Factors,
    warm_start: Factors,
    threads: int,
) -> tuple[Factors, Factors]:
    """Improve the factors of the rows, given those of the columns.

    Returns:
        Row factors (b, k) and column factors (n, k), both rotated into the eigenbasis of the
        columns' gramian. Scores are the same in every basis.
    """
    values, vectors = spectrum_of(gramian_of(factors))
    factors = rotated(factors, vectors, threads)
    warm_start = rotated(warm_start, vectors, threads)
    solved = solve_rows(strengths, lambdas, alpha, values, factors, warm_start, threads)
    return solved, factors


def rotated(factors: Factors, basis: NDArray[np.float32], threads: int) -> Factors:
    """factors @ basis, by blocks of rows: equal for any number of threads."""
    found = np.empty_like(factors)

    def rotate_rows(start: int) -> None:
        some = slice(start, start + _BLAS_ROWS)
        np.matmul(factors[some], basis, out=found[some])

    # OpenBLAS's own threads spin for a while when they are done, on cores that solve rows by then.
    with one_blas_thread():
        on_threads(rotate_rows, range(0, len(factors), _BLAS_ROWS), threads)
    return found


def row_lambdas(
    strengths: csr_matrix, alpha: float, settings: AlsSettings, columns: int | None = None
) -> NDArray[np.float32]:
    """Lambda of each row of a (b, n) matrix, (b,), of so many columns; n when left open."""
    return row_regularization(
        np.asarray(strengths.sum(axis=1, dtype=np.float64)).ravel(),
        strengths.shape[1] if columns is None else columns,
        alpha=alpha,
        regularization=settings.regularization,
        frequency_weight=settings.frequency_weight,
    )


def row_runs(indptr: NDArray[np.int64], max_count: int) -> list[tuple[int, int]]:
    """Runs of rows of about equal cost, fewer where they would be short."""
    cost = indptr + _ROW_COST * np.arange(len(indptr))
    count = min(max_count, 1 + int(cost[-1]) // _MIN_RUN_COST)
    cuts = np.searchsorted(cost, np.linspace(0, cost[-1], count + 1))
    bounds = np.unique(np.concatenate([[0], cuts, [len(indptr) - 1]])).tolist()
    return list(itertools.pairwise(bounds))
