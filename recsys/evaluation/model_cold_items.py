"""Metrics of a built model on items without behaviour in its training."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recsys.core.recency import faded
from recsys.core.scoring import Scores, score_users
from recsys.core.serving.added import MAX_ADDED, AddedItems, foreseen
from recsys.evaluation.cold_items import evaluate_cold_items
from recsys.evaluation.held_out import TestSet
from recsys.evaluation.ranked_lists import ScoreFunction
from recsys.evaluation.report import Report
from recsys.training.build import BuiltModel
from recsys.training.content import ItemContent
from recsys.training.content.alike import popularity_of_alike
from recsys.training.content.features import content_matrix

_SEED = 1


def cold_item_metrics(
    past: BuiltModel, shoppers: NDArray[np.integer], content: ItemContent, test: TestSet
) -> Mapping[str, Report]:
    """Reports by name, see `evaluate_cold_items`; none where nobody wanted a cold item.

    Args:
        shoppers: (n,) how many users each item had.
        content: of the n items.
    """
    cold = past.items.recommendable & (shoppers == 0)
    if not cold.any():
        return {}
    expected = popularity_of_alike(content_matrix(content), shoppers)

    def score(users: NDArray[np.int64]) -> Scores:
        histories = [past.users.history(user) for user in users.tolist()]
        factors = past.users.factors[users]
        return score_users(
            factors, past.items, histories, past.neighbour_weight, past.step_half_life
        )

    on_arrival = _scores_on_arrival(past, content, np.flatnonzero(cold))
    reports = evaluate_cold_items(score, test, cold, expected, _SEED, on_arrival=on_arrival)
    return reports if len(reports["model"].users) else {}


def _scores_on_arrival(
    past: BuiltModel, content: ItemContent, rows: NDArray[np.intp]
) -> ScoreFunction | None:
    """The scores that a recommender gives these items; None where it would give them none.

    All others have -inf.
    """
    if past.items.content is None or len(rows) > MAX_ADDED:
        return None
    # As if they had come after the training, behind all of its rows.
    n = len(past.items.ids)
    found = {n + place: foreseen(past.items, content.row(row)) for place, row in enumerate(rows)}
    known = {row: each for row, each in found.items() if each is not None}
    added = AddedItems.newcomers(past.items, known, known)
    own_rows = rows[added.rows - n]

    def score(users: NDArray[np.int64]) -> Scores:
        scores = np.full((len(users), n), -np.inf, np.float32)
        for place, user in enumerate(users.tolist()):
            history = faded(past.users.history(user), past.step_half_life)
            scores[place, own_rows] = added.scores_for(
                past.users.factors[user], history, past.neighbour_weight
            )
        return scores

    return score
