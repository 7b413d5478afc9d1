"""Users' factors from histories, with a model's scoring parameters."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.core.fold_in import Factors, fold_in_users
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.recency import FadedHistories
from recsys.core.regularization import row_regularization


def history_factors(items: ItemModel, params: ScoringParams, history: History) -> Factors:
    """Fold in: the factors that training would give a user of this history, (k,)."""
    histories = FadedHistories.of([history], params.step_half_life)
    return np.asarray(faded_history_factors(items, params, histories)[0])


def faded_history_factors(
    items: ItemModel, params: ScoringParams, histories: FadedHistories
) -> Factors:
    """`history_factors` of b users, (b, k)."""
    liked = histories.strengths > 0
    strengths, owners = histories.strengths[liked], histories.owners[liked]
    users = len(histories.counts)
    sums = np.bincount(owners, weights=strengths, minlength=users)
    return fold_in_users(
        items.factors.take(histories.items[liked], axis=0),
        owners.searchsorted(np.arange(users + 1)).tolist(),
        items.spectrum,
        strengths,
        alpha=params.alpha,
        row_regularizations=_lambdas(items, params, sums),
    )


def user_lambda(items: ItemModel, params: ScoringParams, strengths: NDArray[np.float32]) -> float:
    """The lambda of a user with these positive strengths, of which recency has left so much."""
    return float(_lambdas(items, params, [strengths.sum()])[0])


def _lambdas(
    items: ItemModel, params: ScoringParams, strength_sums: ArrayLike
) -> NDArray[np.float32]:
    return row_regularization(
        strength_sums,
        len(items.ids),
        alpha=params.alpha,
        regularization=params.regularization,
        frequency_weight=params.frequency_weight,
    )
