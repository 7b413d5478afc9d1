"""How strongly each row's factors are held back: frequency-scaled regularization.

Rendle, Krichene, Zhang, Koren, "Revisiting the Performance of iALS on Item Recommendation
Benchmarks" (2021), section 3.3. Their weight of unobserved pairs, alpha_0, is 1 / alpha here, where
unobserved pairs have confidence 1; multiplied by it, their lambda of a row reads

    lambda_row = regularization * (columns + alpha * sum of the row's strengths) ^ scaling

that is, regularization times the confidence of the whole row. Rows with more behaviour are held
back more, and so are those of a shop with more items; one lambda for all rows does neither.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def row_regularization(
    strength_sums: ArrayLike,
    columns: int,
    *,
    alpha: float,
    regularization: float,
    frequency_scaling: float,
) -> NDArray[np.float32]:
    """Lambda of each row.

    Args:
        strength_sums: (rows,) sums of the rows' strengths, or one of them.
        columns: how many pairs a row has, observed or not: the items for a user.

    Returns:
        float32, of the same shape.
    """
    row_confidence = columns + alpha * np.asarray(strength_sums, np.float64)
    return (regularization * row_confidence**frequency_scaling).astype(np.float32)
