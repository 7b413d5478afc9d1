"""Half-steps of rows whose columns are spread over shards, against those of one process."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.fold_in import Factors
from recsys.training.als.half_step import gramian_of, half_step
from recsys.training.als.partial_sums import product_sums, residual_sums
from recsys.training.als.summed_half_step import summed_half_step

ALPHA = 3.0


@dataclass(frozen=True)
class Shards:
    """Columns dealt out to shards, each of which sums over its own."""

    strengths: list[csr_matrix]
    factors: list[Factors]

    def residual(self, row_factors: Factors) -> Factors:
        return self._sum(residual_sums, row_factors)

    def product(self, directions: Factors) -> Factors:
        return self._sum(product_sums, directions)

    def _sum(self, sums: Callable[..., Factors], vectors: Factors) -> Factors:
        shards = zip(self.strengths, self.factors, strict=True)
        found = [sums(strengths, ALPHA, vectors, x, threads=2) for strengths, x in shards]
        return np.sum(found, axis=0, dtype=np.float32)


def some_strengths(rows: int, columns: int, seed: int) -> csr_matrix:
    random = np.random.default_rng(seed)
    seen = random.random((rows, columns)) < 0.3
    return csr_matrix(seen * random.random((rows, columns)), dtype=np.float32)


def some_factors(rows: int, k: int, seed: int) -> Factors:
    return np.random.default_rng(seed).normal(size=(rows, k), scale=0.3).astype(np.float32)


def dealt_out(strengths: csr_matrix, factors: Factors, shards: int) -> Shards:
    columns = [np.arange(shard, len(factors), shards) for shard in range(shards)]
    return Shards([strengths[:, c].tocsr() for c in columns], [factors[c] for c in columns])


def summed_over(
    shards: Shards,
    gramian: NDArray[np.float64],
    lambdas: NDArray[np.float32],
    observed: NDArray[np.bool_],
    start: Factors,
) -> Factors:
    residual = shards.residual(start)
    return summed_half_step(residual, shards.product, gramian, lambdas, observed, start, threads=2)


@settings(max_examples=25)
@given(st.integers(1, 30), st.integers(1, 60), st.integers(1, 5), st.integers(0, 1000))
def test_a_half_step_over_shards_of_columns_is_that_over_all(
    rows: int, columns: int, shards: int, seed: int
) -> None:
    strengths = some_strengths(rows, columns, seed)
    x, start = some_factors(columns, 5, seed), some_factors(rows, 5, seed + 1)
    lambdas = np.linspace(0.5, 3, rows, dtype=np.float32)
    expected, turned = half_step(strengths, lambdas, ALPHA, x, start, threads=1)
    observed = np.diff(strengths.indptr) > 0
    shares = dealt_out(strengths, x, min(shards, columns))
    found = summed_over(shares, gramian_of(x), lambdas, observed, start)
    assert found @ x.T == pytest.approx(expected @ turned.T, abs=2e-4)
    assert not found[~observed].any()


def test_the_sums_are_those_of_the_definition() -> None:
    strengths, x, y = some_strengths(20, 500, 3), some_factors(500, 7, 1), some_factors(20, 7, 2)
    w, dots = ALPHA * strengths.toarray(), y @ x.T
    seen = w > 0
    product = (w * dots) @ x
    assert product_sums(strengths, ALPHA, y, x, 1) == pytest.approx(product, abs=1e-3)
    residual = (seen * (1 + w)) @ x - product
    assert residual_sums(strengths, ALPHA, y, x, 1) == pytest.approx(residual, abs=1e-3)


def test_the_number_of_threads_changes_no_sum() -> None:
    strengths, x, y = some_strengths(90, 400, 3), some_factors(400, 8, 1), some_factors(90, 8, 2)
    alone, together = (residual_sums(strengths, ALPHA, y, x, threads) for threads in (1, 3))
    assert np.array_equal(alone, together)


def test_a_solved_row_stays_where_it_is() -> None:
    """Directions are zero there, and nothing may be divided by that."""
    x = np.eye(3, dtype=np.float32)
    strengths = csr_matrix(np.ones((1, 3), np.float32))
    lambdas, observed = np.zeros(1, np.float32), np.ones(1, np.bool_)
    exact = np.ones((1, 3), np.float32)
    found = summed_over(dealt_out(strengths, x, 2), gramian_of(x), lambdas, observed, exact)
    assert found == pytest.approx(exact, abs=1e-6)
