"""Order of items that the caller has found, such as search results, by a user's scores."""

from collections.abc import Sequence

import numpy as np

from recsys.core.model import History
from recsys.core.ranking import Indices
from recsys.core.recency import faded
from recsys.core.scoring import Scores, hybrid
from recsys.core.serving.model import ServingModel
from recsys.core.user_factors import faded_history_factors


def reranked(model: ServingModel, history: History, rows: Sequence[int]) -> list[int]:
    """Order item rows by the user's score, best first, equal ones as they came.

    Nothing is left out: bought items and hidden ones have a score, too. For a user of whom nothing
    good is known the most popular come first.

    Args:
        rows: of items that are known or foreseen, none twice.
    """
    given = np.array(rows, np.int32)
    if rows and model.can_score_by(history):
        order = np.argsort(-_scores(model, history, given), kind="stable")
    else:
        ranks = np.append(model.items.popularity_rank, len(model.items.ids))
        order = np.argsort(ranks.take(given, mode="clip"), kind="stable")
    found: list[int] = given[order].tolist()
    return found


def _scores(model: ServingModel, history: History, rows: Indices) -> Scores:
    """The scores of `recsys.core.scoring` of these items, by the work that they take alone."""
    items, params = model.items, model.params
    history = faded(history, params.step_half_life)
    wanted, seen = model.known(rows), model.known(history.items)
    by_factors = wanted.own_factors() @ faded_history_factors(items, params, history, seen)
    order = np.argsort(rows)
    near = seen.neighbours.take(seen.places, axis=0).ravel()
    weights = seen.neighbour_scores.take(seen.places, axis=0) * history.strengths[:, np.newaxis]
    places = np.minimum(np.searchsorted(rows, near, sorter=order), len(rows) - 1)
    places = order[places]
    hits = rows[places] == near
    # Of no hits the sums would be whole numbers.
    sums = np.bincount(places[hits], weights.ravel()[hits], minlength=len(rows)).astype(np.float32)
    if rows.max() >= len(items.ids):
        added = model.newcomers
        of_newcomers = dict(
            zip(added.rows.tolist(), added.neighbour_sums(history).tolist(), strict=True)
        )
        sums += np.array([of_newcomers.get(row, 0.0) for row in rows.tolist()], np.float32)
    return hybrid(by_factors, sums, params.neighbour_weight, wanted.own_trend())
