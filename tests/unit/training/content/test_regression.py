import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix

from recsys.training.content import regression
from recsys.training.content.regression import find_lambda, ridge


def some_content(items: int = 80, features: int = 12) -> csr_matrix:
    return random_matrix(items, features, 0.3, "csr", np.float32, np.random.default_rng(0))


@pytest.mark.parametrize("regularization", [0.3, 10.0])
def test_ridge_is_the_closed_form_whatever_blocks_it_works_in(
    regularization: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = some_content()
    factors = np.random.default_rng(1).normal(size=(80, 20)).astype(np.float32)
    dense = content.toarray()
    expected = np.linalg.solve(
        dense.T @ dense + regularization * np.eye(dense.shape[1]), dense.T @ factors
    )
    monkeypatch.setattr(regression, "_ROWS_PER_BLOCK", 33)
    monkeypatch.setattr(regression, "_TOLERANCE", 1e-6)

    found = ridge(content, factors, regularization)

    assert found.dtype == np.float32
    assert found == pytest.approx(expected, abs=1e-3)
    assert ridge(content, factors, regularization, expected) == pytest.approx(expected, abs=1e-3)


def test_factors_that_content_decides_are_foreseen() -> None:
    content = some_content(400)
    factors = content @ np.random.default_rng(1).normal(size=(12, 5)).astype(np.float32)

    fitted = find_lambda(content, factors, seed=1)

    assert fitted is not None
    assert fitted.value == min(regression.LAMBDAS)
    assert fitted.r_squared > 0.9


def test_factors_that_have_nothing_to_do_with_content_are_not_foreseen() -> None:
    factors = np.random.default_rng(1).normal(size=(400, 5)).astype(np.float32)

    fitted = find_lambda(some_content(400), factors, seed=1)

    assert fitted is not None
    assert fitted.r_squared < 0.02


def test_factors_that_are_all_alike_are_no_merit_of_content() -> None:
    fitted = find_lambda(some_content(400), np.ones((400, 5), np.float32), seed=1)
    assert fitted is not None
    assert fitted.r_squared < 0


def test_few_items_are_too_few_to_hold_any_out() -> None:
    assert find_lambda(some_content(4), np.ones((4, 5), np.float32), seed=1) is None
