"""Candidates of a live answer: what is scored exactly instead of the whole catalogue.

The candidates of a user are

- the most popular items that may be shown, for all users the same, and
- the best neighbours of the user's history, by the sum of their scores times trend, and
- the history itself, as far as it may be shown again, and the user's nightly list.

A score hardly ever puts another item among the first twenty: the lists are those of all items but
for less than one place in a hundred, on every data set that this was tried on. Where no more items
may be shown than are popular here, they are the same, since then the candidates are all of them.

The work for an answer depends on the history, and not on how many items there are.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.core.model import History, ItemModel
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores

Rows = NDArray[np.intp]

# On shops of 4,500 to 20,000 items a thousand popular ones leave 0.3 % of the first twenty to be
# found elsewhere, 500 some 3 %. All users share them, so that they cost one product of matrices.
MAX_POPULAR = 1000
# 100 find nearly as much as 1000 beside the popular ones; each is a row read from anywhere.
MAX_NEIGHBOURS = 300
# So many popular items are looked at together for those that may be shown.
_PIECE = 4096


@dataclass(frozen=True)
class EligibleItems:
    """The items that may be recommended at one moment.

    Making one takes time and memory by the number of all items, using it does not.

    Attributes:
        mask: (n,) bool.
        popular: (p,) the most popular of them, in the order of rows; all, where there are few.
        popular_factors: (p, k).
        popular_trend: (p,).
        neighbour_trend: (n,) the trend of items that are candidates as neighbours only; zero for
            those that are popular, or may not be shown.
    """

    mask: NDArray[np.bool_]
    popular: Rows
    popular_factors: Factors
    popular_trend: Scores
    neighbour_trend: Scores

    @classmethod
    def of(cls, items: ItemModel, hidden: Collection[int] = ()) -> "EligibleItems":
        """All that the model can recommend but for the hidden rows."""
        mask = items.recommendable.copy()
        mask[np.fromiter(hidden, np.intp, len(hidden))] = False
        return cls.where(items, mask)

    @classmethod
    def where(cls, items: ItemModel, mask: NDArray[np.bool_]) -> "EligibleItems":
        """The items where an (n,) mask is true."""
        popular = np.sort(_most_popular(items, mask))
        neighbour_trend = np.where(mask, items.trend, np.float32(0))
        neighbour_trend[popular] = 0
        return cls(mask, popular, items.factors[popular], items.trend[popular], neighbour_trend)


def _most_popular(items: ItemModel, mask: NDArray[np.bool_]) -> Rows:
    if np.count_nonzero(mask) <= MAX_POPULAR:
        return np.flatnonzero(mask)
    found, count = list[Rows](), 0
    for start in range(0, len(items.popular), _PIECE):
        piece = items.popular[start : start + _PIECE]
        found.append(piece[mask[piece]].astype(np.intp))
        count += len(found[-1])
        if count >= MAX_POPULAR:
            break
    return np.concatenate(found)[:MAX_POPULAR]


class Scratch:
    """A number for each item that one thread may write to; the next user overwrites it."""

    def __init__(self) -> None:
        self._places: Rows = np.empty(0, np.intp)

    def places(self, count: int) -> Rows:
        """Memory for that many numbers, with whatever was written to it last."""
        if len(self._places) < count:
            self._places = np.empty(count, np.intp)
        return self._places


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of one user: the p popular ones of `EligibleItems`, and c others.

    Attributes:
        rows: (c,) item rows, none twice and none popular.
        sums: (c,) float32, of strength times neighbour score over the history.
        popular_sums: (p,) float32, likewise.
        popular_barred: (p,) bool, true for what the user must not see again.
    """

    rows: Rows
    sums: Scores
    popular_sums: Scores
    popular_barred: NDArray[np.bool_]


def candidates(
    items: ItemModel,
    eligible: EligibleItems,
    history: History,
    stored: Indices,
    scratch: Scratch,
) -> Candidates:
    """Find what to score for a user.

    Args:
        history: faded, see `recsys.core.recency`; no item twice.
        stored: item rows of the user's nightly list, which are candidates by that.
    """
    seeds, popular = history.items, len(eligible.popular)
    near = items.neighbours.take(seeds, axis=0).ravel()
    weights = items.neighbour_scores.take(seeds, axis=0) * history.strengths[:, np.newaxis]
    entries = np.concatenate([eligible.popular, seeds, stored, near], dtype=np.intp)
    place = _common_places(entries, scratch.places(len(items.ids) + 1))
    named = len(entries) - len(near)
    sums = np.bincount(place[named:], weights=weights.ravel(), minlength=len(entries))
    barred = np.zeros(len(entries), np.bool_)
    barred[place[popular : popular + len(seeds)][history.excluded]] = True
    # From here on without the popular ones, which are candidates anyway.
    trend = eligible.neighbour_trend.take(entries[popular:])
    trend[barred[popular:]] = 0
    values = sums[popular:] * trend
    # What the user only looked at may well be shown again, whatever else leads to it.
    certain = np.zeros(len(trend), np.bool_)
    certain[place[popular:named] - popular] = True
    certain &= trend > 0
    values[certain] = 0
    others = np.concatenate([np.flatnonzero(certain), _best(values)]) + popular
    of_popular = place[:popular]
    return Candidates(
        rows=entries[others],
        sums=sums[others].astype(np.float32),
        popular_sums=sums[of_popular].astype(np.float32),
        popular_barred=barred[of_popular],
    )


def _common_places(entries: Rows, places: Rows) -> Rows:
    """For each entry the position of the last entry of the same item.

    Args:
        places: one for each item and one for -1, which pads; whatever is in there.
    """
    places[entries] = np.arange(len(entries))
    return places[entries]


def _best(values: NDArray[np.floating]) -> Rows:
    """Positions of the MAX_NEIGHBOURS highest positive values, and of equals of the last."""
    if len(values) <= MAX_NEIGHBOURS:
        return np.flatnonzero(values > 0)
    least = np.partition(values, -MAX_NEIGHBOURS)[-MAX_NEIGHBOURS]
    return np.flatnonzero(values >= least if least > 0 else values > 0)
