"""The lists of all users of a version, as they are published."""

import numpy as np
from numpy.typing import NDArray

from recsys.core.model import TrainedModel, UserSide
from recsys.evaluation import Lists
from recsys.training.top_n import top_n_lists


def listed_users(users: UserSide) -> NDArray[np.int64]:
    """Rows of the users who have a list of their own: something in their history counts.

    All others are answered with popular items.
    """
    counted_before = np.concatenate([[0], np.cumsum(users.histories.strengths > 0)])[users.indptr]
    return np.flatnonzero(np.diff(counted_before))


def lists_of(model: TrainedModel, rows: NDArray[np.int64], n: int) -> Lists:
    """(b, n) item rows for the users of these rows, best first, padded with NO_ITEM."""
    recipe = model.recipe
    lists = top_n_lists(
        *(model.items, model.users, rows, recipe.neighbour_weight, n),
        step_half_life=recipe.step_half_life,
    )
    return lists.items
