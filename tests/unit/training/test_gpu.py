"""Training on a GPU, on a twin of its solver; test_gpu_parity.py runs on the device itself."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from implicit.cpu._als import least_squares_cg
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, random_array

from recsys.core.errors import ConfigurationError
from recsys.training.als import AlsSettings, Device, gpu, train_als
from recsys.training.als.extended_rows import extended_blocks
from recsys.training.als.half_step import row_lambdas
from recsys.training.als.loss import als_loss
from tests import gpu_twin
from tests.builders import checkerboard

ALPHA = 4.0
K = 8


def some_strengths(rows: int, columns: int, density: float = 0.2, seed: int = 0) -> csr_matrix:
    random = np.random.default_rng(seed)
    found = csr_matrix(random_array((rows, columns), density=density, rng=random, dtype=np.float32))
    found.data += np.float32(0.1)
    return found


def some_factors(rows: int, width: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(rows, width), scale=0.3).astype(np.float32)


def test_the_twin_finds_what_the_solver_of_implicit_finds_for_values_of_either_sign() -> None:
    y, x = some_factors(30, 32), some_factors(50, 32, seed=2)
    values = some_strengths(50, 30)
    values.data = 1 + ALPHA * values.data
    values.data[::3] *= -1
    theirs = x.copy()
    least_squares_cg(values, theirs, y, 2.0, num_threads=1, cg_steps=3)
    twin_x, twin_y, yty = gpu_twin.Matrix(x), gpu_twin.Matrix(y), gpu_twin.Matrix.zeros(32, 32)
    solver = gpu_twin.LeastSquaresSolver()
    solver.calculate_yty(twin_y, yty, 2.0)
    solver.least_squares(gpu_twin.CSRMatrix(values), twin_x, yty, twin_y, 3)
    assert twin_x.to_numpy() == pytest.approx(theirs, abs=1e-4)


def exact(
    strengths: csr_matrix, lambdas: NDArray[np.float32], factors: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Hu, Koren, Volinsky (2008), equation 4, with each row's own lambda."""
    y = factors.astype(np.float64)
    solved = np.zeros((strengths.shape[0], y.shape[1]))
    for row, r in enumerate(strengths.toarray().astype(np.float64)):
        if r.any():
            c = np.diag(1 + ALPHA * r)
            solved[row] = np.linalg.solve(
                y.T @ c @ y + lambdas[row] * np.eye(y.shape[1]), y.T @ c @ (r > 0)
            )
    return solved


@pytest.mark.parametrize("k", [1, 8, 33])
@pytest.mark.parametrize("frequency_weight", [0.0, 1.0, 3.0])
def test_half_steps_come_to_the_solution_for_the_lambda_that_each_row_has(
    frequency_weight: float, k: int
) -> None:
    board = some_strengths(40, 25).toarray()
    board[7] = 0
    strengths, y = csr_matrix(board), some_factors(25, k)
    how = AlsSettings(factors=k, regularization=0.2, frequency_weight=frequency_weight)
    lambdas = row_lambdas(strengths, ALPHA, how)
    rows = gpu.to_device(gpu_twin, strengths, np.zeros((40, k), np.float32), ALPHA, how)
    columns = gpu.to_device(gpu_twin, strengths.T.tocsr(), y, ALPHA, how)
    gramian = gpu_twin.Matrix.zeros(gpu.padded(k), gpu.padded(k))
    for _ in range(40):
        gpu.device_half_step(gpu_twin.LeastSquaresSolver(), gramian, rows, columns)
    assert gpu.to_host(rows, k) == pytest.approx(exact(strengths, lambdas, y), abs=1e-3)
    assert np.array_equal(gpu.to_host(columns, k), y)


@settings(max_examples=100)
@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=30).filter(any),
    most=st.integers(1, 60),
)
def test_blocks_hold_all_rows_in_turn_and_none_is_too_long_or_without_entries(
    lengths: list[int], most: int
) -> None:
    strengths = csr_matrix(np.array([[1.0] * n + [0.0] * (9 - n) for n in lengths], np.float32))
    extra = np.ones(len(lengths), np.float32)
    blocks = list(extended_blocks(strengths, extra, ALPHA, K, most))
    rows = [row for block, _ in blocks for row in range(block.start, block.stop)]
    assert rows == list(range(len(lengths)))
    longest = max(lengths) + K
    assert all(0 < values.nnz <= max(most, longest) for _, values in blocks)


def test_how_rows_are_cut_into_blocks_changes_no_value() -> None:
    strengths, extra = some_strengths(50, 20), np.linspace(0, 2, 50, dtype=np.float32)
    ((_, whole),) = extended_blocks(strengths, extra, ALPHA, K)
    parts = [values.toarray() for _, values in extended_blocks(strengths, extra, ALPHA, K, 40)]
    assert len(parts) > 10
    assert np.array_equal(np.concatenate(parts), whole.toarray())


def test_a_row_gets_entries_for_what_its_lambda_is_above_that_of_all_rows() -> None:
    strengths = csr_matrix(np.array([[0.5, 0], [0, 0], [0, 2]], np.float32))
    extra = np.array([0, 1, 3], np.float32)
    ((rows, values),) = extended_blocks(strengths, extra, ALPHA, 2)
    assert rows == slice(0, 3)
    assert values.toarray().tolist() == [[3, 0, 0, 0], [0, 0, 0, 0], [0, 9, -4, -4]]
    assert np.diff(values.indptr).tolist() == [1, 0, 3]


@pytest.mark.parametrize("k", [1, 8])
def test_training_comes_to_the_model_that_the_cpu_comes_to(k: int) -> None:
    board = checkerboard(40)
    board += np.float32(0.2) * (np.random.default_rng(4).random(board.shape) < 0.1)
    board[3], board[:, 5] = 0, 0
    strengths = csr_matrix(board)
    how = AlsSettings(factors=k, alpha=ALPHA, regularization=0.02, device=Device.CPU)
    lambdas = [row_lambdas(side, ALPHA, how) for side in (strengths, strengths.T.tocsr())]
    told: list[int] = []
    x, y = gpu.alternate(gpu_twin, strengths, ALPHA, how, told.append)
    cpu = train_als(strengths, how)
    theirs = als_loss(strengths, ALPHA, cpu.user_factors, cpu.item_factors, *lambdas)
    assert als_loss(strengths, ALPHA, x, y, *lambdas) == pytest.approx(theirs, rel=2e-3)
    assert x.shape == (40, k)
    assert not x[3].any()
    assert not y[5].any()
    assert told == list(range(1, how.iterations + 1))


def test_a_device_that_computes_is_accepted_and_one_that_leaves_zeros_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu.check_solver(gpu_twin, 64)
    monkeypatch.setattr(gpu_twin.LeastSquaresSolver, "least_squares", lambda *_: None)
    with pytest.raises(ConfigurationError, match="factors=64"):
        gpu.check_solver(gpu_twin, 64)


@pytest.mark.parametrize(
    "failure", [MemoryError("std::bad_alloc"), RuntimeError("Cuda Error: out of memory")]
)
def test_a_device_that_gives_up_is_an_error_that_says_what_to_do(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "load_extension", lambda: gpu_twin)
    monkeypatch.setattr(gpu_twin.LeastSquaresSolver, "calculate_yty", raising(failure))
    with pytest.raises(ConfigurationError, match=r"device: cpu") as caught:
        gpu.train_on_gpu(some_strengths(5, 4), ALPHA, AlsSettings(factors=2), lambda _: None)
    assert str(failure) in str(caught.value)


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_more_rows_than_the_solver_can_address_are_refused() -> None:
    gpu.check_size((1_000_000, 100_000), 512)
    with pytest.raises(ConfigurationError, match="20,000,000 users or items with factors=100"):
        gpu.check_size((20_000_000, 5), 100)
