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
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

# Two preconditioned steps get further than three plain ones, see `make bench-train`.
CG_STEPS = 2
# Rows of a thread's buffer; a longer row passes through it piece by piece.
BUFFER_ROWS = 16_384
_ENTRIES_AHEAD = 16
_CACHE_LINE_BYTES = 64

_f4 = np.float32
# Rows are independent, so the interpreter's lock is let go and threads are the caller's business.
_compiled = njit(nogil=True, fastmath=True)

SolveRows = Callable[..., None]


def _prefetch_rows_of(k: int) -> Callable[..., None]:
    """An instruction numba lacks: ask for the cache lines of one row of an (n, k) array."""
    lines = -(-4 * k // _CACHE_LINE_BYTES)

    @intrinsic
    def prefetch(_context: Any, array: types.Array, row: types.Integer) -> Any:
        def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
            byte, i32, i64 = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)
            found = context.make_array(signature.args[0])(context, builder, arguments[0])
            stride = builder.extract_value(found.strides, 0)
            index = context.cast(builder, arguments[1], signature.args[1], types.int64)
            start = builder.gep(builder.bitcast(found.data, byte), [builder.mul(index, stride)])
            kind = ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
            module, name = builder.module, "llvm.prefetch.p0"
            fetch = module.globals.get(name) or ir.Function(module, kind, name)
            # To read (0), into the second-level cache (2), data (1).
            hints = [ir.Constant(i32, hint) for hint in (0, 2, 1)]
            for line in range(lines):
                at = builder.gep(start, [ir.Constant(i64, line * _CACHE_LINE_BYTES)])
                builder.call(fetch, [at, *hints])
            return context.get_dummy_value()

        return types.void(array, row), emit

    return prefetch


def _gather_and_dot(k: int) -> Callable[..., None]:
    prefetch = _prefetch_rows_of(k)

    @_compiled
    def gather_and_dot(columns, at, n, end, factors, vector, buffer, dots):  # type: ignore[no-untyped-def]
        """buffer[:n] = the factors of n entries; dots[:n] = their products with a vector."""
        for j in range(n):
            if at + j + _ENTRIES_AHEAD < end:
                prefetch(factors, columns[at + j + _ENTRIES_AHEAD])
            source, target = factors[columns[at + j]], buffer[j]
            dot = _f4(0)
            for f in range(k):
                value = source[f]
                target[f] = value
                dot += value * vector[f]
            dots[j] = dot

    return gather_and_dot


def _add_weighted(k: int) -> Callable[..., None]:
    @_compiled
    def add_weighted(buffer, coefficients, n, total):  # type: ignore[no-untyped-def]
        """total += sum over j < n of coefficients[j] * buffer[j]."""
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

    return add_weighted


def _apply_gathered(k: int) -> Callable[..., None]:
    @_compiled
    def apply_gathered(buffer, strengths, alpha, at, n, vector, total):  # type: ignore[no-untyped-def]
        """total += sum over j < n of w_j (buffer[j] . vector) buffer[j]."""
        by_four = n - n % 4
        for j in range(0, by_four, 4):
            a, b, c, d = buffer[j], buffer[j + 1], buffer[j + 2], buffer[j + 3]
            p, q, r, s = _f4(0), _f4(0), _f4(0), _f4(0)
            for f in range(k):
                p += a[f] * vector[f]
                q += b[f] * vector[f]
                r += c[f] * vector[f]
                s += d[f] * vector[f]
            p *= alpha * strengths[at + j]
            q *= alpha * strengths[at + j + 1]
            r *= alpha * strengths[at + j + 2]
            s *= alpha * strengths[at + j + 3]
            for f in range(k):
                total[f] += p * a[f] + q * b[f] + r * c[f] + s * d[f]
        for j in range(by_four, n):
            p = _f4(0)
            for f in range(k):
                p += buffer[j, f] * vector[f]
            p *= alpha * strengths[at + j]
            for f in range(k):
                total[f] += p * buffer[j, f]

    return apply_gathered


def _residual_of(k: int) -> Callable[..., None]:
    gather_and_dot, add_weighted = _gather_and_dot(k), _add_weighted(k)

    @_compiled
    def residual_of(  # type: ignore[no-untyped-def]
        x, columns, strengths, alpha, first, last, end, diagonal, factors, buffer, dots, residual
    ):
        """What the right side of a row's system has left over x; fills the buffer."""
        for f in range(k):
            residual[f] = -diagonal[f] * x[f]
        for at in range(first, last, len(buffer)):
            n = min(len(buffer), last - at)
            gather_and_dot(columns, at, n, end, factors, x, buffer, dots)
            for j in range(n):
                weight = alpha * strengths[at + j]
                dots[j] = _f4(1) + weight - weight * dots[j]
            add_weighted(buffer, dots, n, residual)

    return residual_of


def _apply_system(k: int) -> Callable[..., None]:
    gather_and_dot, add_weighted = _gather_and_dot(k), _add_weighted(k)
    apply_gathered = _apply_gathered(k)

    @_compiled
    def apply_system(  # type: ignore[no-untyped-def]
        p, columns, strengths, alpha, first, last, end, diagonal, factors, buffer, dots, product
    ):
        """The matrix of a row's system times p."""
        for f in range(k):
            product[f] = diagonal[f] * p[f]
        if last - first <= len(buffer):
            apply_gathered(buffer, strengths, alpha, first, last - first, p, product)
            return
        for at in range(first, last, len(buffer)):
            n = min(len(buffer), last - at)
            gather_and_dot(columns, at, n, end, factors, p, buffer, dots)
            for j in range(n):
                dots[j] *= alpha * strengths[at + j]
            add_weighted(buffer, dots, n, product)

    return apply_system


def _solve_row(k: int) -> Callable[..., None]:
    residual_of, apply_system = _residual_of(k), _apply_system(k)

    @_compiled
    def solve_row(  # type: ignore[no-untyped-def]
        x, columns, strengths, alpha, first, last, end, diagonal, factors, buffer, dots, r, p, ap
    ):
        """CG_STEPS steps of preconditioned conjugate gradients from x; r, p, ap are scratch."""
        residual_of(
            x, columns, strengths, alpha, first, last, end, diagonal, factors, buffer, dots, r
        )
        rz = _f4(0)
        for f in range(k):
            p[f] = r[f] / diagonal[f]
            rz += r[f] * p[f]
        for _ in range(CG_STEPS):
            apply_system(
                p, columns, strengths, alpha, first, last, end, diagonal, factors, buffer, dots, ap
            )
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

    return solve_row


@cache
def rows_solver(k: int) -> SolveRows:
    """The compiled half-step for k factors.

    Returns:
        solve(indptr, columns, strengths, alpha, lambdas, spectrum, factors, solved, start, stop),
        which improves solved[start:stop], (rows, k) float32. `factors` are those of the other side,
        (n, k) float32, in the basis where their gramian is the diagonal `spectrum`, (k,) float32;
        lambdas is (rows,) float32, alpha a float32. A row without entries becomes zero.
    """
    solve_row = _solve_row(k)

    @_compiled
    def solve(  # type: ignore[no-untyped-def]
        indptr, columns, strengths, alpha, lambdas, spectrum, factors, solved, start, stop
    ):
        longest = 1
        for row in range(start, stop):
            longest = max(longest, indptr[row + 1] - indptr[row])
        size = min(longest, BUFFER_ROWS)
        buffer, dots = np.empty((size, k), _f4), np.empty(size, _f4)
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
                diagonal, factors, buffer, dots, r, p, ap,
            )  # fmt: skip

    return solve
