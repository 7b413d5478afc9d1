"""Order of items that the caller has found, such as search results, by a user's scores."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.core.model import History
from recsys.core.recency import faded
from recsys.core.scoring import Scores, hybrid
from recsys.core.serving.model import ServingModel
from recsys.core.user_factors import faded_history_factors


def reranked(model: ServingModel, history: History, rows: Sequence[int]) -> list[int]:
    """Order item rows by the user's score, best first, equal ones as they came.

    Nothing is left out: bought items and hidden ones have a score, too. For a user of whom nothing
    good is known the most popular come first.

    Args:
        rows: of items of the model, none twice.
    """
    given = np.array(rows, np.intp)
    if rows and (history.strengths > 0).any():
        order = np.argsort(-_scores(model, history, given), kind="stable")
    else:
        order = np.argsort(model.items.popularity_rank.take(given))
    found: list[int] = given[order].tolist()
    return found


def _scores(model: ServingModel, history: History, rows: NDArray[np.intp]) -> Scores:
    """The scores of `recsys.core.scoring` of these items, by the work that they take alone."""
    items, params = model.items, model.params
    history = faded(history, params.step_half_life)
    by_factors = items.factors.take(rows, axis=0) @ faded_history_factors(items, params, history)
    order = np.argsort(rows)
    near = items.neighbours.take(history.items, axis=0).ravel()
    weights = items.neighbour_scores.take(history.items, axis=0) * history.strengths[:, np.newaxis]
    places = np.minimum(np.searchsorted(rows, near, sorter=order), len(rows) - 1)
    places = order[places]
    hits = rows[places] == near
    sums = np.bincount(places[hits], weights.ravel()[hits], minlength=len(rows))
    return hybrid(
        by_factors, sums.astype(np.float32), params.neighbour_weight, items.trend.take(rows)
    )
