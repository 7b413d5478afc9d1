"""Frequency-weighted regularization of each row's factors.

Rendle, Krichene, Zhang, Koren, "Revisiting the Performance of iALS on Item Recommendation
Benchmarks" (2021), section 3.3, hold a row back by the confidence of all its pairs; Spark's MLlib
(Zhou et al., "Large-Scale Parallel Collaborative Filtering", 2008) by the number of observed ones
alone. Both are cases of

    lambda_row = regularization * (columns + frequency_weight * alpha * sum of the row's strengths)

with a frequency weight of one, and of infinity with a regularization that shrinks as much; what is
best lies between them. Rows with more behaviour are held back more, and so are those of a shop with
more items; one lambda for all rows does neither. (The paper's weight of unobserved pairs, alpha_0,
is 1 / alpha here, where these have confidence 1.)
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def row_regularization(
    strength_sums: ArrayLike,
    columns: int,
    *,
    alpha: float,
    regularization: float,
    frequency_weight: float,
) -> NDArray[np.float32]:
    """Lambda of each row.

    Args:
        strength_sums: (rows,) sums of the rows' strengths, or one of them.
        columns: how many pairs a row has, observed or not: the items for a user.

    Returns:
        float32, of the same shape.
    """
    observed = alpha * np.asarray(strength_sums, np.float64)
    return (regularization * (columns + frequency_weight * observed)).astype(np.float32)
