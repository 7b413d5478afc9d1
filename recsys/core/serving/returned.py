"""Items that can be bought again: they could not when a model was trained, so its lists lack them.

Until the next nightly run their places are found when a list is made, by the score that every item
has. No list of neighbours names them either, so these are read the other way round: whom an item is
alike to is alike to it.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.core.model import NO_NEIGHBOUR, History, ItemModel
from recsys.core.ranges import concatenated_ranges
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores

Rows = NDArray[np.intp]

# Each answer scores all of them. Where more come back at once, a shop trains anew.
MAX_RETURNED = 1000


@dataclass(frozen=True)
class ReturnedItems:
    """The r items of a model that can be bought again.

    Attributes:
        rows: (r,) item rows.
        factors: (r, k).
        trend: (r,).
        near: (e,) item rows, ascending, each the neighbour of a returned item.
        positions: (e,) of which one, as a position in `rows`.
        scores: (e,) how alike they are.
    """

    rows: Rows
    factors: Factors
    trend: Scores
    near: Rows
    positions: Rows
    scores: Scores

    @classmethod
    def of(cls, items: ItemModel, rows: Collection[int]) -> "ReturnedItems":
        """Those of these rows that have factors; the most popular ones of too many."""
        found = np.array(sorted(rows), np.intp)
        found = found[items.has_factors[found]]
        if len(found) > MAX_RETURNED:
            found = items.popular[np.isin(items.popular, found)][:MAX_RETURNED].astype(np.intp)
        near = items.neighbours[found]
        positions, places = np.nonzero(near != NO_NEIGHBOUR)
        near, scores = near[positions, places], items.neighbour_scores[found][positions, places]
        order = np.argsort(near, kind="stable")
        return cls(
            found,
            items.factors[found],
            items.trend[found],
            near[order].astype(np.intp),
            positions[order],
            scores[order],
        )

    def neighbour_sums(self, history: History) -> Scores:
        """Sum over a faded history of strength times neighbour score, (r,)."""
        first = np.searchsorted(self.near, history.items, "left")
        counts = np.searchsorted(self.near, history.items, "right") - first
        entries = concatenated_ranges(first, counts)
        weights = np.repeat(history.strengths, counts) * self.scores[entries]
        sums = np.bincount(self.positions[entries], weights, minlength=len(self.rows))
        return sums.astype(np.float32)

    def scores_beside(self, row: int, seeds: Indices) -> Scores:
        """How alike one of them is to each of these items, (m,)."""
        own = self.rows[self.positions] == row
        near, scores = self.near[own], self.scores[own]
        alike = near == seeds[:, np.newaxis]
        return np.asarray((alike * scores).sum(axis=1), np.float32)

    def alike_to(self, item_index: int) -> list[tuple[int, float]]:
        """Those alike to one item, each with its score."""
        first, end = np.searchsorted(self.near, [item_index, item_index + 1])
        rows = self.rows[self.positions[first:end]].tolist()
        return list(zip(rows, self.scores[first:end].tolist(), strict=True))
