"""Users' factors from histories, with a model's scoring parameters."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors, fold_in_users
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.recency import faded
from recsys.core.regularization import row_regularization


def history_factors(items: ItemModel, params: ScoringParams, history: History) -> Factors:
    """Factors that training would give a user of this history, (k,)."""
    [factors] = faded_history_factors(items, params, [faded(history, params.step_half_life)])
    return np.asarray(factors)


def faded_history_factors(
    items: ItemModel, params: ScoringParams, histories: Sequence[History]
) -> Factors:
    """`history_factors` of b histories that are faded already, (b, k)."""
    liked = [history.strengths > 0 for history in histories]
    rows = [history.items[chosen] for history, chosen in zip(histories, liked, strict=True)]
    strengths = [each.strengths[chosen] for each, chosen in zip(histories, liked, strict=True)]
    return fold_in_users(
        items.factors.take(np.concatenate(rows), axis=0),
        [0, *accumulate(map(len, rows))],
        items.spectrum,
        np.concatenate(strengths),
        alpha=params.alpha,
        row_regularizations=_lambdas(items, params, [each.sum() for each in strengths]),
    )


def user_lambda(items: ItemModel, params: ScoringParams, strengths: NDArray[np.float32]) -> float:
    """The lambda of a user with these positive strengths, of which recency has left so much."""
    return float(_lambdas(items, params, [strengths.sum()])[0])


def _lambdas(
    items: ItemModel, params: ScoringParams, strength_sums: Sequence[np.float32]
) -> NDArray[np.float32]:
    return row_regularization(
        strength_sums,
        len(items.ids),
        alpha=params.alpha,
        regularization=params.regularization,
        frequency_weight=params.frequency_weight,
    )
