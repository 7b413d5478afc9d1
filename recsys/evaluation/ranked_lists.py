"""From scores to lists to a report, users in blocks so that memory stays bounded."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recsys.core.ranking import top_n_rows
from recsys.core.scoring import Scores
from recsys.evaluation.held_out import NO_ITEM, RankedLists, TestSet
from recsys.evaluation.report import (
    DEFAULT_K,
    Behaviour,
    Cutoffs,
    Report,
    cutoffs_of,
    evaluate_lists,
)

# From user rows (b,) to scores (b, n), -inf where an item must not be listed.
ScoreFunction = Callable[[NDArray[np.int64]], Scores]

MAX_USERS_PER_BLOCK = 1024
# 16 MB of float32, held several times over while it is ranked.
MAX_SCORES_PER_BLOCK = 2**22


def evaluate(
    score: ScoreFunction,
    test: TestSet,
    behaviour: Behaviour | None = None,
    k: Cutoffs = DEFAULT_K,
    on_users: Callable[[int], None] = lambda _: None,
) -> Report:
    """Rank all items for every test user and judge the k best.

    Args:
        score: the model; it is asked for the rows of `test.users`, strangers' among them.
        behaviour: without it only ranking metrics are there.
        k: one cut-off or several; lists are ranked once, at the largest.
        on_users: called with the number of users ranked so far.
    """
    lists = top_k_lists(score, test, max(cutoffs_of(k)), on_users)
    return evaluate_lists(lists, test, behaviour, k)


def top_k_lists(
    score: ScoreFunction,
    test: TestSet,
    k: int = DEFAULT_K,
    on_users: Callable[[int], None] = lambda _: None,
) -> RankedLists:
    """(t, k) item rows of the best finite scores, best first, padded with NO_ITEM."""
    lists = np.full((len(test), k), NO_ITEM, np.int32)
    block = users_per_block(test.known_items)
    for start in range(0, len(test), block):
        rows = slice(start, min(start + block, len(test)))
        for entry, best in zip(lists[rows], top_n_rows(score(test.users[rows]), k), strict=True):
            entry[: len(best)] = best
        on_users(rows.stop)
    return lists


def users_per_block(items: int) -> int:
    """Count the users whose scores of all items fit into memory."""
    return max(1, min(MAX_USERS_PER_BLOCK, MAX_SCORES_PER_BLOCK // max(items, 1)))
