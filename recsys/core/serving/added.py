"""Items that the lists of a model lack, and that may be shown since.

Until the next nightly run their places are found when a list is made, by the score that every item
has. Some can be bought again, and could not when the model was trained: no list of neighbours names
them, so theirs are read the other way round, whom an item is alike to is alike to it.

Others came into the catalogue later, and content foresees them: each is the mean of the known items
that it is most alike to, by its category, brand, title, price and attributes: of their factors, and
of what goes with them. docs/decisions/0036-new-items-on-arrival.md compares that with the ridge
regression by which a nightly run foresees factors.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.catalogue import CatalogueRow
from recsys.core.fold_in import Factors
from recsys.core.model import NO_NEIGHBOUR, History, ItemModel
from recsys.core.ranges import concatenated_ranges
from recsys.core.ranking import Indices
from recsys.core.scoring import KnownItems, Scores, hybrid


class Foreseen(NamedTuple):
    """An item as its content lets one expect it.

    Attributes:
        factors: (k,) float32.
        near: (m,) item rows, the most alike first.
        scores: (m,) neighbour scores, float32.
    """

    factors: Factors
    near: Indices
    scores: Scores


def foreseen(items: ItemModel, row: CatalogueRow) -> Foreseen | None:
    """What to expect of an item; None where it has no content by which any known one is like it."""
    if items.content is None:
        return None
    alike = items.content.alike(row)
    if not len(alike.rows):
        return None
    lists = items.neighbours[alike.rows]
    weighted = items.neighbour_scores[alike.rows] * alike.weights[:, np.newaxis]
    present = lists != NO_NEIGHBOUR
    near, places = np.unique(lists[present], return_inverse=True)
    scores = np.bincount(places, weighted[present], minlength=len(near))
    best = np.argsort(-scores, kind="stable")[: items.neighbours.shape[1]]
    factors = alike.weights @ items.factors[alike.rows]
    return Foreseen(factors, near[best], scores[best].astype(np.float32))


def known_items(items: ItemModel, rows: Indices, foreseen: Mapping[int, Foreseen]) -> KnownItems:
    """Items of a model of n, and of those behind them what is foreseen, if anything is.

    Args:
        rows: none twice; from n on they are of items that the model does not know.
        foreseen: by row.
    """
    n = len(items.ids)
    if not len(rows) or rows.max() < n:
        return KnownItems.of(items, rows)
    factors, neighbours, scores, shares = (
        np.zeros((len(rows), array.shape[1]), array.dtype)
        for array in (items.factors, items.neighbours, items.neighbour_scores, items.order_shares)
    )
    trend = np.ones(len(rows), np.float32)
    neighbours[:] = NO_NEIGHBOUR
    is_trained = rows < n
    trained = rows[is_trained]
    factors[is_trained], trend[is_trained] = items.factors[trained], items.trend[trained]
    neighbours[is_trained] = items.neighbours[trained]
    scores[is_trained] = items.neighbour_scores[trained]
    shares[is_trained] = items.order_shares[trained]
    for place in np.flatnonzero(~is_trained).tolist():
        own = foreseen.get(int(rows[place]))
        if own is not None:
            factors[place] = own.factors
            neighbours[place, : len(own.near)] = own.near
            scores[place, : len(own.near)] = own.scores
    places = np.arange(len(rows), dtype=np.int32)
    return KnownItems(rows, places, factors, trend, neighbours, scores, shares)


# Each answer scores all of them. Where more come at once, a shop trains anew.
MAX_ADDED = 1000


@dataclass(frozen=True)
class AddedItems:
    """r items that came in one of the two ways.

    Attributes:
        rows: (r,) item rows.
        factors: (r, k).
        trend: (r,).
        near: (e,) item rows, ascending, each the neighbour of an added item.
        positions: (e,) of which one, as a position in `rows`.
        scores: (e,) how alike they are.
    """

    rows: Indices
    factors: Factors
    trend: Scores
    near: Indices
    positions: NDArray[np.intp]
    scores: Scores

    @classmethod
    def returned(cls, items: ItemModel, rows: Collection[int]) -> "AddedItems":
        """Those that can be bought again and have factors; the most popular ones of too many.

        Args:
            rows: of items of the model.
        """
        found = np.array(sorted(rows), np.int32)
        found = found[items.has_factors[found]]
        if len(found) > MAX_ADDED:
            found = items.popular[np.isin(items.popular, found)][:MAX_ADDED]
        return cls._of(KnownItems.of(items, found))

    @classmethod
    def newcomers(
        cls, items: ItemModel, rows: Iterable[int], foreseen: Mapping[int, Foreseen]
    ) -> "AddedItems":
        """Those that came later and of which something is foreseen; the last ones of too many."""
        found = sorted(row for row in rows if row in foreseen)[-MAX_ADDED:]
        return cls._of(known_items(items, np.array(found, np.int32), foreseen))

    @classmethod
    def _of(cls, found: KnownItems) -> "AddedItems":
        lists, scores = found.neighbours[found.places], found.neighbour_scores[found.places]
        positions, columns = np.nonzero(lists != NO_NEIGHBOUR)
        near = lists[positions, columns]
        order = np.argsort(near, kind="stable")
        return cls(
            *(found.rows, found.own_factors(), found.own_trend(), near[order]),
            *(positions[order], scores[positions, columns][order]),
        )

    def scores_for(self, vector: Factors, history: History, neighbour_weight: float) -> Scores:
        """Scores for a user of these factors, (k,), and this faded history, (r,)."""
        by_factors, sums = self.factors @ vector, self.neighbour_sums(history)
        return hybrid(by_factors, sums, neighbour_weight, self.trend)

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
