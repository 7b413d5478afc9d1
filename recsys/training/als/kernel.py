"""The numerical heart: conjugate gradients for many rows, compiled for one number of factors.

A row's system (Hu, Koren, Volinsky, 2008, equation 4), here in the words of a user's half-step, is

    (Y^T Y + lambda_u I + sum_i w_ui y_i y_i^T) x_u = sum_i (1 + w_ui) y_i,   w_ui = alpha r_ui

with sums over the items of the user. Three things make it cheap:

- Y comes in the eigenbasis of its gramian, so Y^T Y + lambda_u I is a diagonal: it costs k instead
  of k^2 operations whatever lambda the row has, and its inverse is a good preconditioner.
- The item factors of a row are gathered once, into a buffer that stays in the cache for all passes;
  the cache lines of those that follow are asked for meanwhile.
- Four entries share a load and a store of the sums, and k is a constant, so that the compiler uses
  the widest registers there are.

Rows are solved apart from each other, each by one thread: how many there are changes no result.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import literally, njit  # type: ignore[attr-defined]

from recsys.core.compiled import cached_njit
from recsys.training.prefetch import prefetch_row

# Two preconditioned steps get further than three plain ones, see `make bench-train`.
CG_STEPS = 2
# Rows of a thread's buffer; a longer row passes through it piece by piece.
BUFFER_ROWS = 16_384
_ENTRIES_AHEAD = 16

_f4 = np.float32
# Rows are independent, so the interpreter's lock is let go and threads are the caller's business.
# What was compiled is kept on disk, apart for each k and each kind of processor.
_compiled = cached_njit(nogil=True, fastmath=True, error_model="numpy")

SolveRows = Callable[..., None]


@_compiled
def gather_and_dot(columns, at, n, end, factors, vector, buffer, dots, k):  # type: ignore[no-untyped-def]
    """buffer[:n] = the factors of n entries; dots[:n] = their products with a vector."""
    literally(k)
    for j in range(n):
        if at + j + _ENTRIES_AHEAD < end:
            prefetch_row(factors, columns[at + j + _ENTRIES_AHEAD], k)
        source, target = factors[columns[at + j]], buffer[j]
        dot = _f4(0)
        for f in range(k):
            value = source[f]
            target[f] = value
            dot += value * vector[f]
        dots[j] = dot


@_compiled
def weigh(strengths, alpha, at, n, weights):  # type: ignore[no-untyped-def]
    """weights[:n] = w of n entries.

    Apart from what is made of them: a product of three factors, or a sum, has several ways to be
    rounded, and of a loop that writes the compiler makes two, for arrays that may overlap and for
    others, whose ways need not be the same. Which one runs would depend on where memory was free.
    """
    for j in range(n):
        weights[j] = alpha * strengths[at + j]


@_compiled
def add_weighted(buffer, coefficients, n, total, k):  # type: ignore[no-untyped-def]
    """total += sum over j < n of coefficients[j] * buffer[j]."""
    literally(k)
    by_four = n - n % 4
    for j in range(0, by_four, 4):
        a, b, c, d = buffer[j], buffer[j + 1], buffer[j + 2], buffer[j + 3]
        p, q = coefficients[j], coefficients[j + 1]
        r, s = coefficients[j + 2], coefficients[j + 3]
        for f in range(k):
            total[f] += p * a[f] + q * b[f] + r * c[f] + s * d[f]
    for j in range(by_four, n):
        for f in range(k):
            total[f] += coefficients[j] * buffer[j, f]


@_compiled
def apply_gathered(buffer, weights, n, vector, total, k):  # type: ignore[no-untyped-def]
    """total += sum over j < n of w_j (buffer[j] . vector) buffer[j]."""
    literally(k)
    by_four = n - n % 4
    for j in range(0, by_four, 4):
        a, b, c, d = buffer[j], buffer[j + 1], buffer[j + 2], buffer[j + 3]
        p, q, r, s = _f4(0), _f4(0), _f4(0), _f4(0)
        for f in range(k):
            p += a[f] * vector[f]
            q += b[f] * vector[f]
            r += c[f] * vector[f]
            s += d[f] * vector[f]
        p *= weights[j]
        q *= weights[j + 1]
        r *= weights[j + 2]
        s *= weights[j + 3]
        for f in range(k):
            total[f] += p * a[f] + q * b[f] + r * c[f] + s * d[f]
    for j in range(by_four, n):
        p = _f4(0)
        for f in range(k):
            p += buffer[j, f] * vector[f]
        p *= weights[j]
        for f in range(k):
            total[f] += p * buffer[j, f]


@_compiled
def residual_of(  # type: ignore[no-untyped-def]
    x, columns, strengths, alpha, first, last, end, diagonal,
    factors, buffer, weights, dots, residual, k,
):  # fmt: skip
    """Residual of a row's system at x; fills the buffer and the weights."""
    literally(k)
    for f in range(k):
        residual[f] = -diagonal[f] * x[f]
    for at in range(first, last, len(buffer)):
        n = min(len(buffer), last - at)
        gather_and_dot(columns, at, n, end, factors, x, buffer, dots, k)
        weigh(strengths, alpha, at, n, weights)
        for j in range(n):
            dots[j] = _f4(1) + weights[j] * (_f4(1) - dots[j])
        add_weighted(buffer, dots, n, residual, k)


@_compiled
def apply_system(  # type: ignore[no-untyped-def]
    p, columns, strengths, alpha, first, last, end, diagonal,
    factors, buffer, weights, dots, product, k,
):  # fmt: skip
    """The matrix of a row's system times p."""
    literally(k)
    for f in range(k):
        product[f] = diagonal[f] * p[f]
    if last - first <= len(buffer):
        apply_gathered(buffer, weights, last - first, p, product, k)
        return
    for at in range(first, last, len(buffer)):
        n = min(len(buffer), last - at)
        gather_and_dot(columns, at, n, end, factors, p, buffer, dots, k)
        weigh(strengths, alpha, at, n, weights)
        for j in range(n):
            dots[j] *= weights[j]
        add_weighted(buffer, dots, n, product, k)


@_compiled
def solve_row(  # type: ignore[no-untyped-def]
    x, columns, strengths, alpha, first, last, end, diagonal,
    factors, buffer, weights, dots, r, p, ap, k,
):  # fmt: skip
    """CG_STEPS steps of preconditioned conjugate gradients from x; r, p, ap are scratch."""
    literally(k)
    residual_of(
        x, columns, strengths, alpha, first, last, end, diagonal,
        factors, buffer, weights, dots, r, k,
    )  # fmt: skip
    rz = _f4(0)
    for f in range(k):
        p[f] = r[f] / diagonal[f]
        rz += r[f] * p[f]
    for _ in range(CG_STEPS):
        apply_system(
            p, columns, strengths, alpha, first, last, end, diagonal,
            factors, buffer, weights, dots, ap, k,
        )  # fmt: skip
        curvature = _f4(0)
        for f in range(k):
            curvature += p[f] * ap[f]
        # Nothing is left to improve, or to improve by in float32.
        if not curvature > 0:
            return
        length, before, rz = rz / curvature, rz, _f4(0)
        for f in range(k):
            x[f] += length * p[f]
            r[f] -= length * ap[f]
            rz += r[f] * r[f] / diagonal[f]
        for f in range(k):
            p[f] = r[f] / diagonal[f] + rz / before * p[f]


@_compiled
def solve_rows_of(  # type: ignore[no-untyped-def]
    indptr, columns, strengths, alpha, lambdas, spectrum, factors, solved, start, stop, k
):
    literally(k)
    longest = 1
    for row in range(start, stop):
        longest = max(longest, indptr[row + 1] - indptr[row])
    size = min(longest, BUFFER_ROWS)
    buffer, weights, dots = np.empty((size, k), _f4), np.empty(size, _f4), np.empty(size, _f4)
    diagonal, r, p, ap = np.empty(k, _f4), np.empty(k, _f4), np.empty(k, _f4), np.empty(k, _f4)
    end = indptr[stop]
    for row in range(start, stop):
        first, last = indptr[row], indptr[row + 1]
        if first == last:
            solved[row, :] = 0
            continue
        for f in range(k):
            diagonal[f] = spectrum[f] + lambdas[row]
        solve_row(
            solved[row], columns, strengths, alpha, first, last, end,
            diagonal, factors, buffer, weights, dots, r, p, ap, k,
        )  # fmt: skip


@cache
def rows_solver(k: int) -> SolveRows:
    """The compiled half-step for k factors.

    Returns:
        solve(indptr, columns, strengths, alpha, lambdas, spectrum, factors, solved, start, stop),
        which improves solved[start:stop], (rows, k) float32. `factors` are those of the other side,
        (n, k) float32, in the basis where their gramian is the diagonal `spectrum`, (k,) float32,
        above zero; lambdas is (rows,) float32, alpha a float32. A row without entries becomes zero.
    """

    @njit(nogil=True)
    def solve(  # type: ignore[no-untyped-def]
        indptr, columns, strengths, alpha, lambdas, spectrum, factors, solved, start, stop
    ):
        solve_rows_of(
            indptr, columns, strengths, alpha, lambdas, spectrum, factors, solved, start, stop, k
        )

    return solve
