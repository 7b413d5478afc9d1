"""The lists of a built model, ranked as they are for publishing."""

from collections.abc import Callable

import numpy as np

from recsys.evaluation.held_out import RankedLists, TestSet
from recsys.evaluation.report import DEFAULT_K
from recsys.training.build import BuiltModel
from recsys.training.top_n import top_n_lists

USERS_PER_CALL = 20_000


def model_lists(
    built: BuiltModel,
    test: TestSet,
    k: int = DEFAULT_K,
    on_users: Callable[[int], None] = lambda _: None,
) -> RankedLists:
    """(t, k) item rows, best first, padded with NO_ITEM, masked by the model's own rules.

    Args:
        test: of users whom the model knows.
        on_users: called with the number of users ranked so far.
    """
    lists = np.empty((len(test), k), np.int32)
    for start in range(0, len(test), USERS_PER_CALL):
        users = test.users[start : start + USERS_PER_CALL]
        found = top_n_lists(
            *(built.items, built.users, users, built.neighbour_weight, k),
            step_half_life=built.step_half_life,
        ).items
        lists[start : start + len(users)] = found
        on_users(start + len(users))
    return lists
