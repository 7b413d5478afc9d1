"""Scores of all items for users: the one calculation of evaluation, publishing, serving, notebooks.

score(u, i) = trend_i * (x_u . y_i + w * sum over j in the history of u of r_uj * s_ji)

with user factors x, item factors y, neighbour scores s, and r what recency leaves of strengths; the
user factors come of the same r. A negative strength, as after a dislike, lowers the neighbours of
the item and leaves x alone. What the user must not see
again and what may not be sold score -inf.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.core.model import History, ItemModel
from recsys.core.ranking import Indices
from recsys.core.recency import faded

Scores = NDArray[np.float32]


class KnownItems(NamedTuple):
    """l items, of a history or of a list, and where that is which scores are made of.

    Attributes:
        rows: (l,) item rows, none twice.
        places: (l,) int32, where each stands in the arrays below.
        factors: (t, k).
        trend: (t,).
        neighbours: (t, m) item rows, padded with NO_NEIGHBOUR.
        neighbour_scores: (t, m), zero where padded.
        order_shares: (t, m).
    """

    rows: Indices
    places: Indices
    factors: Factors
    trend: Scores
    neighbours: Indices
    neighbour_scores: Scores
    order_shares: NDArray[np.float16]

    @classmethod
    def of(cls, items: ItemModel, rows: Indices) -> "KnownItems":
        """Items of a model, whose arrays are taken as they are."""
        return cls(
            rows,
            rows,
            items.factors,
            items.trend,
            items.neighbours,
            items.neighbour_scores,
            items.order_shares,
        )

    def where(self, mask: NDArray[np.bool_]) -> "KnownItems":
        """Those for which an (l,) mask is true."""
        return self._replace(rows=self.rows[mask], places=self.places[mask])

    def own_factors(self) -> Factors:
        """(l, k)."""
        return self.factors.take(self.places, axis=0)

    def own_trend(self) -> Scores:
        """(l,)."""
        return self.trend.take(self.places)


def score_users(
    user_factors: Factors,
    items: ItemModel,
    histories: Sequence[History],
    neighbour_weight: float,
    step_half_life: float | None = None,
) -> Scores:
    """Score all n items for b users.

    Args:
        user_factors: (b, k).
        items: the item model, n items; those not recommendable score -inf.
        histories: b histories; their excluded items score -inf.
        neighbour_weight: w above.
        step_half_life: see `recsys.core.recency`.

    Returns:
        (b, n) scores.
    """
    scores = user_factors @ items.factors.T
    for row, history in enumerate(histories):
        by_neighbours = sum_of_neighbours(
            items.neighbours, items.neighbour_scores, faded(history, step_half_life)
        )
        scores[row] = hybrid(scores[row], by_neighbours, neighbour_weight, items.trend)
    scores[:, ~items.recommendable] = -np.inf
    for row, history in enumerate(histories):
        scores[row, history.items[history.excluded]] = -np.inf
    return scores


def hybrid(
    by_factors: Scores, by_neighbours: Scores, neighbour_weight: float, trend: Scores
) -> Scores:
    """Put the parts of the scores of some items together; arrays of one shape."""
    return (by_factors + neighbour_weight * by_neighbours) * trend


def sum_of_neighbours(neighbours: Indices, scores: Scores, history: History) -> Scores:
    """Sum over a faded history of strength times score, (n,).

    Args:
        neighbours: (n, m) item rows, padded with NO_NEIGHBOUR.
        scores: (n, m), zero where padded.
    """
    weights = scores[history.items] * history.strengths[:, np.newaxis]
    # Padding is -1 with a score of zero; shifted by one it falls into a bin of its own.
    places = neighbours[history.items].ravel() + 1
    sums = np.bincount(places, weights=weights.ravel(), minlength=len(neighbours) + 1)
    return sums[1:].astype(np.float32)
