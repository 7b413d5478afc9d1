"""The scores of a built model, as published lists are made of them."""

import numpy as np
from numpy.typing import NDArray

from recsys.core.scoring import Scores, score_users
from recsys.training.build import BuiltModel
from recsys.training.evaluation.ranked_lists import ScoreFunction


def model_scores(built: BuiltModel) -> ScoreFunction:
    """Scores of users whom the model knows, masked by its own rules."""

    def scores(users: NDArray[np.int64]) -> Scores:
        histories = [built.users.history(user) for user in users]
        return score_users(
            built.users.factors[users], built.items, histories, built.neighbour_weight
        )

    return scores
