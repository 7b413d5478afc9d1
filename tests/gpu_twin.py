"""Twin of `implicit.gpu._cuda` in numpy: als.cu and matrix.cu of implicit 0.7.3.

It refuses what the device would take and get wrong: rows beyond the matrix, a warp that is not
whole, a matrix without entries.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

_SMALL = 1e-20
_WARP = 32


class Matrix:
    """A dense float32 matrix; a slice of rows is a view, as on the device."""

    def __init__(self, values: NDArray[np.float32]) -> None:
        assert values.dtype == np.float32
        assert values.flags.c_contiguous
        self.values = values.copy()

    @classmethod
    def zeros(cls, rows: int, columns: int) -> "Matrix":
        return cls(np.zeros((rows, columns), np.float32))

    def __getitem__(self, rows: slice) -> "Matrix":
        stop = len(self.values) if rows.stop is None else rows.stop
        assert 0 <= (rows.start or 0) <= stop <= len(self.values)
        view = Matrix.__new__(Matrix)
        view.values = self.values[rows]
        return view

    def to_numpy(self) -> NDArray[np.float32]:
        return self.values.copy()


class CSRMatrix:
    def __init__(self, matrix: csr_matrix) -> None:
        assert matrix.indptr.dtype == matrix.indices.dtype == np.int32
        assert matrix.nnz, "the extension takes the address of the first entry"
        self.matrix = matrix.astype(np.float32)


class LeastSquaresSolver:
    def calculate_yty(self, y: Matrix, yty: Matrix, regularization: float) -> None:
        """Y^T Y + regularization I, into yty."""
        width = y.values.shape[1]
        assert yty.values.shape == (width, width)
        yty.values[:] = y.values.T @ y.values + np.float32(regularization) * np.eye(
            width, dtype=np.float32
        )

    def least_squares(
        self, cui: CSRMatrix, x: Matrix, yty: Matrix, y: Matrix, cg_steps: int
    ) -> None:
        """Conjugate gradients from x, row by row, in place."""
        matrix = cui.matrix
        assert matrix.shape[0] == len(x.values), "the kernel reads offsets of all rows of X"
        assert matrix.shape[1] <= len(y.values)
        assert x.values.shape[1] == y.values.shape[1] == len(yty.values)
        assert x.values.shape[1] % _WARP == 0, "the sums of a warp that is not whole are undefined"
        for row in range(matrix.shape[0]):
            some = slice(matrix.indptr[row], matrix.indptr[row + 1])
            x.values[row] = _solve_row(
                x.values[row],
                yty.values,
                y.values[matrix.indices[some]],
                matrix.data[some],
                cg_steps,
            )


def _solve_row(
    x: NDArray[np.float32],
    yty: NDArray[np.float32],
    y: NDArray[np.float32],
    confidences: NDArray[np.float32],
    cg_steps: int,
) -> NDArray[np.float32]:
    if not len(y):
        return np.zeros_like(x)
    weights = np.abs(confidences) - 1
    r = y.T @ (np.maximum(confidences, 0) - weights * (y @ x)) - x @ yty
    p, before = r, r @ r
    if before < _SMALL:
        return x
    for _ in range(cg_steps):
        ap = p @ yty + y.T @ (weights * (y @ p))
        length = before / (p @ ap)
        x, r = x + length * p, r - length * ap
        after = r @ r
        if after < _SMALL:
            break
        p, before = r + after / before * p, after
    return x if np.isfinite(before) else np.zeros_like(x)
