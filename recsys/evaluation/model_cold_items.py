"""Metrics of a built model on items without behaviour in its training."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recsys.core.scoring import Scores, score_users
from recsys.evaluation.cold_items import evaluate_cold_items
from recsys.evaluation.held_out import TestSet
from recsys.evaluation.report import Report
from recsys.training.build import BuiltModel
from recsys.training.content import ItemContent
from recsys.training.content.alike import popularity_of_alike
from recsys.training.content.features import content_matrix

_SEED = 1


def cold_item_metrics(
    past: BuiltModel, shoppers: NDArray[np.integer], content: ItemContent, test: TestSet
) -> Mapping[str, Report]:
    """Reports of model, popularity and random by name; none where nobody wanted a cold item.

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

    reports = evaluate_cold_items(score, test, cold, expected, _SEED)
    return reports if len(reports["model"].users) else {}
