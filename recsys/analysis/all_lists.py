"""The lists of all users of a version, as they are published."""

import numpy as np
from numpy.typing import NDArray

from recsys.core.model import TrainedModel, UserModel
from recsys.evaluation import RankedLists
from recsys.training.top_n import top_n_lists


def listed_users(users: UserModel) -> NDArray[np.int64]:
    """Rows of the users who have a list of their own: something in their history counts.

    All others are answered with popular items.
    """
    counted_before = np.concatenate([[0], np.cumsum(users.histories.strengths > 0)])[users.indptr]
    return np.flatnonzero(np.diff(counted_before))


def lists_of(model: TrainedModel, rows: NDArray[np.int64], n: int) -> RankedLists:
    """(b, n) item rows for the users of these rows, best first, padded with NO_ITEM."""
    params = model.params
    lists = top_n_lists(
        *(model.items, model.users, rows, params.neighbour_weight, n),
        step_half_life=params.step_half_life,
    )
    return lists.items
