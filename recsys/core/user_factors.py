"""A user's factors from a history, with a model's scoring parameters."""

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors, fold_in
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.recency import faded
from recsys.core.regularization import row_regularization


def history_factors(items: ItemModel, params: ScoringParams, history: History) -> Factors:
    """What training would give a user of this history, (k,)."""
    history = faded(history, params.step_half_life)
    counted = history.strengths > 0
    strengths = history.strengths[counted]
    return fold_in(
        items.factors[history.items[counted]],
        items.gramian,
        strengths,
        alpha=params.alpha,
        row_regularization=user_lambda(items, params, strengths),
    )


def user_lambda(items: ItemModel, params: ScoringParams, strengths: NDArray[np.float32]) -> float:
    """The lambda of a user with these positive strengths, of which recency has left so much."""
    return float(
        row_regularization(
            strengths.sum(),
            len(items.ids),
            alpha=params.alpha,
            regularization=params.regularization,
            frequency_weight=params.frequency_weight,
        )
    )
