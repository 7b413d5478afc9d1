"""The kernel against the exact solution of every row's system, and against implicit's solver."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from implicit.cpu._als import least_squares_cg
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, random_array

from recsys.core.fold_in import Factors
from recsys.training.als.half_step import gramian_of, half_step, spectrum_of
from recsys.training.als.kernel import BUFFER_ROWS
from recsys.training.als.loss import als_loss
from tests.builders import checkerboard

ALPHA = 4.0
K = 8


def some_strengths(rows: int, columns: int, density: float, seed: int = 0) -> csr_matrix:
    random = np.random.default_rng(seed)
    found = random_array((rows, columns), density=density, rng=random, dtype=np.float32)
    matrix = csr_matrix(found)
    matrix.data += np.float32(0.1)
    return matrix


def some_factors(rows: int, seed: int = 1) -> Factors:
    return np.random.default_rng(seed).normal(size=(rows, K), scale=0.3).astype(np.float32)


def exact(
    strengths: csr_matrix, lambdas: NDArray[np.float32], factors: Factors
) -> NDArray[np.float64]:
    """Hu, Koren, Volinsky (2008), equation 4, row by row in float64."""
    y = factors.astype(np.float64)
    solved = np.zeros((strengths.shape[0], K))
    for row, r in enumerate(strengths.toarray().astype(np.float64)):
        if r.any():
            c = np.diag(1 + ALPHA * r)
            system = y.T @ c @ y + lambdas[row] * np.eye(K)
            solved[row] = np.linalg.solve(system, y.T @ c @ (r > 0))
    return solved


def converged(
    strengths: csr_matrix, lambdas: NDArray[np.float32], factors: Factors, times: int = 12
) -> NDArray[np.float32]:
    """Predictions after as many half-steps, which do not depend on the basis of the factors."""
    x = np.zeros((strengths.shape[0], K), np.float32)
    for _ in range(times):
        x, factors = half_step(strengths, lambdas, ALPHA, factors, x, threads=2)
    return x @ factors.T


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.05, 0.9), st.integers(0, 1000))
def test_it_converges_to_the_exact_solution_of_every_row(
    rows: int, columns: int, density: float, seed: int
) -> None:
    strengths, factors = some_strengths(rows, columns, density, seed), some_factors(columns, seed)
    lambdas = np.linspace(0.5, 3.0, rows, dtype=np.float32)
    expected = exact(strengths, lambdas, factors) @ factors.T
    assert converged(strengths, lambdas, factors) == pytest.approx(expected, abs=2e-3)


def test_a_row_longer_than_the_buffer_is_solved_as_well() -> None:
    columns = 2 * BUFFER_ROWS + 77
    factors = some_factors(columns)
    strengths = csr_matrix(np.ones((1, columns), np.float32))
    lambdas = np.ones(1, np.float32)
    y = factors.astype(np.float64)
    expected = np.linalg.solve((1 + ALPHA) * y.T @ y + np.eye(K), (1 + ALPHA) * y.sum(axis=0))
    found = converged(strengths, lambdas, factors)
    assert found[0] == pytest.approx(y @ expected, abs=2e-3)


def test_it_converges_to_what_the_solver_of_implicit_finds() -> None:
    """implicit takes one lambda for all rows, and its values are the confidences."""
    strengths, factors = some_strengths(300, 120, 0.1), some_factors(120)
    theirs, confidences = np.zeros((300, K), np.float32), strengths.copy()
    confidences.data = 1 + ALPHA * confidences.data
    least_squares_cg(confidences, theirs, factors, 2.0, num_threads=1, cg_steps=30)
    ours = converged(strengths, np.full(300, 2.0, np.float32), factors)
    assert ours == pytest.approx(theirs @ factors.T, abs=2e-3)


def test_training_loses_no_more_than_implicit_with_more_steps() -> None:
    """Two steps with the preconditioner against three without, from the same start."""
    board = checkerboard(30)
    board += np.float32(0.2) * (np.random.default_rng(4).random((30, 30)) < 0.1)
    strengths = csr_matrix(board)
    lambdas = np.full(30, 0.5, np.float32)
    x, y = np.zeros((30, K), np.float32), some_factors(30)
    confidences = strengths.copy()
    confidences.data = 1 + ALPHA * confidences.data
    their_x, their_y = x.copy(), y.copy()
    for _ in range(4):
        least_squares_cg(confidences, their_x, their_y, 0.5, num_threads=1, cg_steps=3)
        least_squares_cg(confidences.T.tocsr(), their_y, their_x, 0.5, num_threads=1, cg_steps=3)
        x, y = half_step(strengths, lambdas, ALPHA, y, x, threads=1)
        y, x = half_step(strengths.T.tocsr(), lambdas, ALPHA, x, y, threads=1)
    ours = als_loss(strengths, ALPHA, x, y, lambdas, lambdas)
    theirs = als_loss(strengths, ALPHA, their_x, their_y, lambdas, lambdas)
    assert ours <= theirs * 1.0001


def test_a_row_without_behaviour_has_no_factors() -> None:
    strengths = csr_matrix((2, 5), dtype=np.float32)
    found, _ = half_step(
        strengths, np.ones(2, np.float32), ALPHA, some_factors(5), some_factors(2), threads=2
    )
    assert not found.any()


def test_a_shard_of_rows_is_solved_as_the_whole_is() -> None:
    strengths, factors, start = some_strengths(60, 30, 0.3), some_factors(30), some_factors(60, 2)
    lambdas = np.ones(60, np.float32)
    whole, _ = half_step(strengths, lambdas, ALPHA, factors, start, threads=2)
    parts = [
        half_step(strengths[some], lambdas[some], ALPHA, factors, start[some], threads=1)[0]
        for some in (slice(0, 17), slice(17, 60))
    ]
    assert np.concatenate(parts) == pytest.approx(whole, abs=1e-6)


def test_the_spectrum_takes_the_gramian_apart() -> None:
    gramian = gramian_of(some_factors(50))
    spectrum = spectrum_of(gramian)
    together = spectrum.vectors @ np.diag(spectrum.values) @ spectrum.vectors.T
    assert together == pytest.approx(gramian, abs=1e-4)


def test_the_loss_is_the_sum_over_all_pairs() -> None:
    strengths, x, y = some_strengths(20, 15, 0.3), some_factors(20), some_factors(15, 2)
    lambdas = np.linspace(1, 2, 20, dtype=np.float32), np.linspace(2, 3, 15, dtype=np.float32)
    r = strengths.toarray().astype(np.float64)
    errors = (1 + ALPHA * r) * ((r > 0) - x.astype(np.float64) @ y.T) ** 2
    penalty = sum(
        float(np.sum(li * np.sum(f**2, 1))) for li, f in zip(lambdas, (x, y), strict=True)
    )
    found = als_loss(strengths, ALPHA, x, y, *lambdas)
    assert found == pytest.approx(errors.sum() + penalty, rel=1e-5)


def test_the_sign_of_an_eigenvector_is_not_left_to_lapack(monkeypatch: pytest.MonkeyPatch) -> None:
    gramian = gramian_of(some_factors(30))
    expected, lapack = spectrum_of(gramian), np.linalg.eigh
    signs = np.where(np.arange(K) % 3 == 0, -1.0, 1.0)

    def flipped(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        values, basis = lapack(matrix)
        return values, basis * signs

    monkeypatch.setattr(np.linalg, "eigh", flipped)
    assert spectrum_of(gramian).vectors.tolist() == expected.vectors.tolist()
    assert (expected.vectors.max(axis=0) >= -expected.vectors.min(axis=0)).all()
