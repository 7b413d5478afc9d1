"""Scores of all items for users: the one calculation of evaluation, publishing, serving, notebooks.

score(u, i) = x_u . y_i; what the user must not see again and what may not be sold score -inf.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.core.model import History, ItemSide
from recsys.core.ranking import Indices

Scores = NDArray[np.float32]


def score_users(
    user_factors: Factors, items: ItemSide, histories: Sequence[History], *, mask_history: bool
) -> Scores:
    """Score all n items for b users.

    Args:
        user_factors: (b, k).
        items: the item side, n items; those not recommendable score -inf.
        histories: b histories; their excluded items score -inf.
        mask_history: mask the whole history, as the evaluation of first-time purchases does.

    Returns:
        (b, n) scores.
    """
    scores = user_factors @ items.factors.T
    scores[:, ~items.recommendable] = -np.inf
    for row, history in enumerate(histories):
        hidden: Indices = history.items if mask_history else history.items[history.excluded]
        scores[row, hidden] = -np.inf
    return scores
