"""Common ground of score functions: masked pairs and unknown users."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores
from recsys.evaluation.ranked_lists import ScoreFunction
from recsys.training.interactions import InteractionMatrix


def by_rank(best_first: Indices) -> ScoreFunction:
    """The same scores for everybody: the items in this order.

    Args:
        best_first: (n,) all item rows.
    """
    scores = np.empty(len(best_first), np.float32)
    # Negated ranks are exact in float32 up to 2^24 items.
    scores[best_first] = -np.arange(len(best_first), dtype=np.float32)
    return lambda users: np.tile(scores, (len(users), 1))


def masked(
    score: ScoreFunction, pairs: InteractionMatrix, eligible: NDArray[np.bool_]
) -> ScoreFunction:
    """-inf for what may not be sold and for what a user's pairs exclude.

    A row past the last user of `pairs` is a stranger: nothing is excluded.

    Raises:
        InvalidInput: from the function returned, when scores are not a number for each user and
            item.
    """

    def scores(users: NDArray[np.int64]) -> Scores:
        found = _copied(score(users), (len(users), len(eligible)))
        found[:, ~eligible] = -np.inf
        for row in np.flatnonzero(users < len(pairs.users)):
            span = slice(*pairs.indptr[users[row] : users[row] + 2])
            found[row, pairs.item_indices[span][pairs.excluded[span]]] = -np.inf
        return found

    return scores


def _copied(scores: ArrayLike, shape: tuple[int, int]) -> Scores:
    """Scores that may be written to: those of a baseline may be counts, or what it keeps."""
    given = np.asarray(scores)
    if given.shape != shape:
        users, items = shape
        reason = (
            f"must be an array ({users}, {items}), a row a user and a column an item, but is"
            f" {given.shape}: {type(scores).__name__}"
        )
        raise InvalidInput([FieldProblem("scores", reason)])
    return given.astype(np.result_type(given, np.float32))


def has_behaviour(pairs: InteractionMatrix) -> NDArray[np.bool_]:
    """(u,) bool: the user has a pair of positive strength; all others are cold."""
    positive = np.concatenate([[0], np.cumsum(pairs.strengths > 0)])
    return np.diff(positive[pairs.indptr]) > 0


def is_known(rows: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(b,) bool: whether each of these rows, of users or items, has behaviour.

    Rows past the last one of `known` are of whoever training does not know, and have none.
    """
    inside = rows < len(known)
    found = np.zeros(len(rows), np.bool_)
    found[inside] = known[rows[inside]]
    return found
