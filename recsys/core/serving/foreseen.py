"""What content foresees of an item that came into the catalogue after its model was trained.

The next nightly run learns it with all others. Until then it is the mean of the known items that it
is most alike to, by its category, brand, title, price and attributes: of their factors, and of what
goes with them. docs/decisions/0036-new-items-on-arrival.md compares that with the ridge regression
by which a nightly run foresees factors.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from recsys.core.catalogue import CatalogueRow
from recsys.core.fold_in import Factors
from recsys.core.model import NO_NEIGHBOUR, ItemModel
from recsys.core.ranking import Indices
from recsys.core.scoring import KnownItems, Scores


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
