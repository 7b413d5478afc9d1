"""A user's factors from a history, with a model's scoring parameters."""

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors, fold_in, fold_in_few
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.recency import faded
from recsys.core.regularization import row_regularization


def history_factors(items: ItemModel, params: ScoringParams, history: History) -> Factors:
    """Fold in: the factors that training would give a user of this history, (k,)."""
    return faded_history_factors(items, params, faded(history, params.step_half_life))


def faded_history_factors(items: ItemModel, params: ScoringParams, history: History) -> Factors:
    """`history_factors` of a history that is faded already."""
    counted = history.strengths > 0
    strengths = history.strengths[counted]
    vectors = items.factors[history.items[counted]]
    held_back = user_lambda(items, params, strengths)
    if len(strengths) < vectors.shape[1] and held_back > 0:
        return fold_in_few(
            vectors, items.spectrum, strengths, alpha=params.alpha, row_regularization=held_back
        )
    return fold_in(
        vectors, items.gramian, strengths, alpha=params.alpha, row_regularization=held_back
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
