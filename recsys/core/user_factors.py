"""A user's factors from a history, as a model's recipe says."""

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors, fold_in
from recsys.core.model import History, ItemSide, Recipe
from recsys.core.recency import faded
from recsys.core.regularization import row_regularization


def history_factors(items: ItemSide, recipe: Recipe, history: History) -> Factors:
    """What training would give a user of this history, (k,)."""
    history = faded(history, recipe.step_half_life)
    counted = history.strengths > 0
    strengths = history.strengths[counted]
    return fold_in(
        items.factors[history.items[counted]],
        items.gramian,
        strengths,
        alpha=recipe.alpha,
        row_regularization=user_lambda(items, recipe, strengths),
    )


def user_lambda(items: ItemSide, recipe: Recipe, strengths: NDArray[np.float32]) -> float:
    """The lambda of a user with these positive strengths, of which recency has left so much."""
    return float(
        row_regularization(
            strengths.sum(),
            len(items.ids),
            alpha=recipe.alpha,
            regularization=recipe.regularization,
            frequency_weight=recipe.frequency_weight,
        )
    )
