"""Users' factors from histories, with a model's scoring parameters."""

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled_fold_in import UserSystem
from recsys.core.fold_in import Factors, row_regularization
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.recency import faded
from recsys.core.scoring import KnownItems


def history_factors(items: ItemModel, params: ScoringParams, history: History) -> Factors:
    """Fold in: the factors that training would give a user of this history, (k,)."""
    seen = KnownItems.of(items, history.items)
    return faded_history_factors(items, params, faded(history, params.step_half_life), seen)


def faded_history_factors(
    items: ItemModel, params: ScoringParams, history: History, seen: KnownItems
) -> Factors:
    """`history_factors` of a history with what is left of its strengths.

    Args:
        seen: the items of the history.
    """
    liked = history.strengths > 0
    own_factors = seen.factors.take(seen.places[liked], axis=0)
    return user_system(items, params, own_factors, history.strengths[liked]).user_factors()


def user_system(
    items: ItemModel, params: ScoringParams, own_factors: Factors, strengths: NDArray[np.float32]
) -> UserSystem:
    """The system of a user.

    Args:
        own_factors: (m, k) those of the user's items.
        strengths: (m,) what recency has left of them; positive.
    """
    return UserSystem.of(
        own_factors,
        items.spectrum,
        strengths,
        alpha=params.alpha,
        row_regularization=user_lambda(items, params, strengths),
    )


def user_lambda(items: ItemModel, params: ScoringParams, strengths: NDArray[np.float32]) -> float:
    """The lambda of a user with these positive strengths, of which recency has left so much."""
    return float(
        row_regularization(
            strengths.sum(),
            len(items.ids) if params.known_items is None else params.known_items,
            alpha=params.alpha,
            regularization=params.regularization,
            frequency_weight=params.frequency_weight,
        )
    )
