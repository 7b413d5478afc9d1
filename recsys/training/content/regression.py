"""Ridge regression of factors on content: what is known of items says what their factors would be.

    W = argmin sum over items i of |y_i - c_i W|^2 + lambda |W|^2  =  (C^T C + lambda I)^-1 C^T Y

(Hoerl & Kennard, "Ridge Regression", 1970), solved by conjugate gradients: C^T C of fifty thousand
columns would fill 20 GB, while C itself has a dozen entries a row. One lambda for all factors is
found on a fifth of the items, which the regression does not see: for it they are new.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.fold_in import Factors
from recsys.training.threads import available_threads, on_threads

# From much to little, so that each solution is a good first guess of the next one.
LAMBDAS = (100.0, 30.0, 10.0, 3.0, 1.0)
# Lambda, a ratio of variances, does not depend on how many items it is found on.
MAX_SAMPLE_ITEMS = 20_000
_HELD_OUT_SHARE = 0.2
# The same whatever the number of threads, so that all of them find the same solution.
_FACTORS_PER_TASK = 16
_ROWS_PER_BLOCK = 65_536
_MAX_STEPS = 60
# Of the residual against the right side: what is left changes R^2 by its square.
_TOLERANCE = 1e-2
_SMALLEST = np.float32(1e-30)


@dataclass(frozen=True)
class FittedLambda:
    """The lambda that predicts held-out items best, and how well.

    Attributes:
        r_squared: 1 - the squared error of the predicted factors of held-out items over that of the
            other items' mean factors; at most 0 where content tells nothing about factors.
    """

    value: float
    r_squared: float


def find_lambda(content: csr_matrix, factors: Factors, seed: int) -> FittedLambda | None:
    """Compare LAMBDAS on held-out items; None when there are too few items to hold any out.

    Args:
        content: (m, f) of the items with behaviour, see `recsys.training.content.features`.
        factors: (m, k) of the same items.
        seed: of the draw of items.
    """
    drawn = np.random.default_rng(seed).permutation(len(factors))[:MAX_SAMPLE_ITEMS]
    held_out, seen = np.split(drawn, [int(_HELD_OUT_SHARE * len(drawn))])
    if not len(held_out):
        return None
    truth = factors[held_out]
    of_mean = max(_squared_error(factors[seen].mean(axis=0), truth), float(_SMALLEST))
    weights, best = None, FittedLambda(LAMBDAS[0], -np.inf)
    for value in LAMBDAS:
        weights = ridge(content[seen], factors[seen], value, weights)
        fit = 1 - _squared_error(content[held_out] @ weights, truth) / of_mean
        # Once less regularization makes it worse, still less does so too.
        if fit <= best.r_squared:
            break
        best = FittedLambda(value, fit)
    return best


def _squared_error(predicted: Factors, truth: Factors) -> float:
    return float(np.square(predicted - truth, dtype=np.float64).sum())


def ridge(
    content: csr_matrix, factors: Factors, regularization: float, warm_start: Factors | None = None
) -> Factors:
    """W above, (f, k) float32.

    Args:
        content: (m, f) float32.
        factors: (m, k) float32.
        regularization: lambda, above zero.
        warm_start: (f, k), zeros when left open.
    """
    weights = np.zeros((content.shape[1], factors.shape[1]), np.float32)
    if warm_start is not None:
        weights[:] = warm_start
    blocks = _row_blocks(content)

    def solve(start: int) -> None:
        some = slice(start, start + _FACTORS_PER_TASK)
        weights[:, some] = _conjugate_gradients(
            blocks, factors[:, some], regularization, weights[:, some]
        )

    on_threads(solve, range(0, factors.shape[1], _FACTORS_PER_TASK), available_threads())
    return weights


def _conjugate_gradients(
    blocks: list[csr_matrix], factors: Factors, regularization: float, weights: Factors
) -> Factors:
    """Solve all columns side by side, each by steps of its own, preconditioned by the diagonal."""
    diagonal = sum(block.multiply(block).sum(axis=0) for block in blocks) + regularization
    scale = np.asarray(1.0 / diagonal, np.float32).reshape(-1, 1)

    def apply(vectors: Factors) -> Factors:
        return _transposed_product(blocks, (b @ vectors for b in blocks)) + regularization * vectors

    right = _transposed_product(blocks, _rows_of(factors, blocks))
    residual = right - apply(weights)
    enough = _TOLERANCE**2 * _dots(right, scale * right)
    direction = scale * residual
    length = _dots(residual, direction)
    for _ in range(_MAX_STEPS):
        if (length <= enough).all():
            break
        product = apply(direction)
        step = _ratios(length, _dots(direction, product))
        weights = weights + step * direction
        residual = residual - step * product
        towards = scale * residual
        before, length = length, _dots(residual, towards)
        direction = towards + _ratios(length, before) * direction
    return weights


def _dots(left: Factors, right: Factors) -> NDArray[np.float32]:
    return np.asarray(np.einsum("ij,ij->j", left, right), np.float32)


def _ratios(
    numerators: NDArray[np.float32], denominators: NDArray[np.float32]
) -> NDArray[np.float32]:
    return np.asarray(numerators / np.maximum(denominators, _SMALLEST), np.float32)


def _transposed_product(blocks: list[csr_matrix], parts: Iterator[Factors]) -> Factors:
    """C^T times a matrix (m, k) that comes in the blocks' parts: never all rows at once."""
    return np.asarray(sum(b.T @ part for b, part in zip(blocks, parts, strict=True)), np.float32)


def _row_blocks(content: csr_matrix) -> list[csr_matrix]:
    return [
        content[start : start + _ROWS_PER_BLOCK]
        for start in range(0, content.shape[0], _ROWS_PER_BLOCK)
    ]


def _rows_of(factors: Factors, blocks: list[csr_matrix]) -> Iterator[Factors]:
    bounds = itertools.accumulate((block.shape[0] for block in blocks), initial=0)
    return (factors[start:stop] for start, stop in itertools.pairwise(bounds))
