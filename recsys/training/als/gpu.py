"""ALS on a GPU: the half-steps of `implicit`'s CUDA solver, with a lambda of each row's own.

The same model as on the CPU, in the basis that the factors come in and without a preconditioner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.core.fold_in import Factors
from recsys.training.als.cuda_device import load_extension
from recsys.training.als.extended_rows import extended_blocks
from recsys.training.als.half_step import PROJECTIONS, row_lambdas
from recsys.training.als.settings import AlsSettings, first_item_factors

CG_STEPS = 3
# A factor is a thread, threads come in warps of 32, and what the kernel's sums make of a warp that
# is not whole, CUDA leaves undefined. Factors beyond k are zero and stay so.
WARP = 32
_MAX_OFFSET = np.iinfo(np.int32).max


class Cuda(Protocol):
    """The classes of `implicit.gpu._cuda` that training takes.

    Matrix(array) copies a C-contiguous float32 array to the device; a slice of it is a view.
    """

    Matrix: Any
    CSRMatrix: Any
    LeastSquaresSolver: Any


@dataclass(frozen=True)
class DeviceSide:
    """Users or items on the device.

    Attributes:
        rows: how many there are.
        factors: Matrix (rows + k, width); the last k are the unit vectors of `extended_rows`.
        blocks: which rows, and their CSRMatrix over the other side's rows and unit vectors.
        least_lambda: what all rows have in common.
    """

    rows: int
    factors: Any
    blocks: list[tuple[slice, Any]]
    least_lambda: float


def train_on_gpu(
    strengths: csr_matrix,
    alpha: float,
    settings: AlsSettings,
    on_iteration: Callable[[int], None],
) -> tuple[Factors, Factors]:
    """User factors (u, k) and item factors (n, k), float32.

    Raises:
        ConfigurationError: when there is no GPU that will do, or it gives up.
    """
    cuda = load_extension()
    try:
        check_solver(cuda, padded(settings.factors))
        return alternate(cuda, strengths, alpha, settings, on_iteration)
    except (MemoryError, RuntimeError) as error:
        # How the extension says that CUDA, cuBLAS or an allocation failed.
        raise ConfigurationError(
            f"the GPU gave up on factors={settings.factors} for {sum(strengths.shape):,} users and "
            f"items ({error}): if its memory is full, take fewer factors, or device: cpu"
        ) from error


def alternate(
    cuda: Cuda,
    strengths: csr_matrix,
    alpha: float,
    settings: AlsSettings,
    on_iteration: Callable[[int], None],
) -> tuple[Factors, Factors]:
    """The passes over users and items; arguments and result as those of `train_on_gpu`."""
    by_user, by_item = strengths.tocsr(), strengths.T.tocsr()
    k = settings.factors
    first = first_item_factors(by_item.shape[0], settings)
    users = to_device(cuda, by_user, np.zeros((by_user.shape[0], k), np.float32), alpha, settings)
    items = to_device(cuda, by_item, first, alpha, settings)
    solver, gramian = cuda.LeastSquaresSolver(), cuda.Matrix.zeros(padded(k), padded(k))
    for iteration in range(settings.iterations):
        device_half_step(solver, gramian, users, items)
        device_half_step(solver, gramian, items, users)
        on_iteration(iteration + 1)
    for _ in range(PROJECTIONS):
        device_half_step(solver, gramian, users, items)
    return to_host(users, k), to_host(items, k)


def device_half_step(solver: Any, gramian: Any, rows: DeviceSide, columns: DeviceSide) -> None:
    """Improve the factors of the rows, on the device and in place, given those of the columns."""
    solver.calculate_yty(columns.factors[: columns.rows], gramian, rows.least_lambda)
    for block, values in rows.blocks:
        solver.least_squares(values, rows.factors[block], gramian, columns.factors, CG_STEPS)


def to_device(
    cuda: Cuda, strengths: csr_matrix, first: Factors, alpha: float, settings: AlsSettings
) -> DeviceSide:
    """One side: what its rows are solved from, and their first factors, (b, k)."""
    lambdas = row_lambdas(strengths, alpha, settings)
    least = lambdas.min()
    k = settings.factors
    return DeviceSide(
        rows=len(first),
        factors=cuda.Matrix(with_unit_vectors(first)),
        blocks=[
            (rows, cuda.CSRMatrix(values))
            for rows, values in extended_blocks(strengths, lambdas - least, alpha, k)
        ],
        least_lambda=float(least),
    )


def to_host(side: DeviceSide, k: int) -> Factors:
    found: NDArray[np.float32] = side.factors[: side.rows].to_numpy()
    return np.ascontiguousarray(found[:, :k])


def with_unit_vectors(factors: Factors) -> Factors:
    """Factors (b, k) and below them k unit vectors, each padded to whole warps."""
    rows, k = factors.shape
    extended = np.zeros((rows + k, padded(k)), np.float32)
    extended[:rows, :k] = factors
    extended[rows + np.arange(k), np.arange(k)] = 1
    return extended


def padded(k: int) -> int:
    """The width of a factor on the device."""
    return -(-k // WARP) * WARP


def check_size(shape: tuple[int, int], k: int) -> None:
    """The solver computes where a column's factors are in 32 bits.

    Raises:
        ConfigurationError: when they would not do.
    """
    if (max(shape) + k) * padded(k) > _MAX_OFFSET:
        raise ConfigurationError(
            f"{max(shape):,} users or items with factors={k} are too many for the GPU solver of "
            "implicit: take fewer factors, or device: cpu"
        )


def check_solver(cuda: Cuda, width: int) -> None:
    """Let the device solve one row: a kernel that cannot start leaves zeros and says nothing.

    Raises:
        ConfigurationError: when it does not find what it should.
    """
    solver = cuda.LeastSquaresSolver()
    x, y = (cuda.Matrix(np.full((1, width), value, np.float32)) for value in (0, 1))
    gramian = cuda.Matrix.zeros(width, width)
    solver.calculate_yty(y, gramian, 1.0)
    row = csr_matrix(np.full((1, 1), 3, np.float32))
    solver.least_squares(cuda.CSRMatrix(row), x, gramian, y, CG_STEPS)
    # (y^T y + I + (3 - 1) y^T y) x = 3 y
    expected = 3 / (3 * width + 1)
    if not np.allclose(x.to_numpy(), expected, rtol=1e-3):
        raise ConfigurationError(
            f"the GPU does not compute what it should with factors={width}: take fewer factors, "
            "or device: cpu"
        )
