"""Scores of all items for users: the one calculation of evaluation, publishing, serving, notebooks.

score(u, i) = trend_i * (x_u . y_i + w * sum over j in the history of u of r_uj * s_ji)

with user factors x, item factors y, strengths r and neighbour scores s. A negative strength, as
after a dislike, lowers the neighbours of the item and leaves x alone. What the user must not see
again and what may not be sold score -inf.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.core.model import History, ItemSide

Scores = NDArray[np.float32]


def score_users(
    user_factors: Factors,
    items: ItemSide,
    histories: Sequence[History],
    neighbour_weight: float,
) -> Scores:
    """Score all n items for b users.

    Args:
        user_factors: (b, k).
        items: the item side, n items; those not recommendable score -inf.
        histories: b histories; their excluded items score -inf.
        neighbour_weight: w above.

    Returns:
        (b, n) scores.
    """
    scores = user_factors @ items.factors.T
    for row, history in enumerate(histories):
        scores[row] += neighbour_weight * neighbour_part(items, history)
    scores *= items.trend
    scores[:, ~items.recommendable] = -np.inf
    for row, history in enumerate(histories):
        scores[row, history.items[history.excluded]] = -np.inf
    return scores


def neighbour_part(items: ItemSide, history: History) -> Scores:
    """Sum over the history of strength times neighbour score, (n,)."""
    neighbours = items.neighbours[history.items]
    weights = items.neighbour_scores[history.items] * history.strengths[:, np.newaxis]
    # Padding is -1 with a score of zero; shifted by one it falls into a bin of its own.
    sums = np.bincount(
        neighbours.ravel() + 1, weights=weights.ravel(), minlength=len(items.ids) + 1
    )
    return sums[1:].astype(np.float32)
