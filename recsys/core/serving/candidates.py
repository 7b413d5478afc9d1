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

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.core.model import ItemModel
from recsys.core.ranges import concatenated_ranges
from recsys.core.ranking import Indices
from recsys.core.recency import FadedHistories
from recsys.core.scoring import Scores

Rows = NDArray[np.intp]

# On shops of 4,500 to 20,000 items a thousand popular ones leave 0.3 % of the first twenty to be
# found elsewhere, 500 some 3 %. All users share them, so that they cost one product of matrices.
MAX_POPULAR = 1000
# 100 find nearly as much as 1000 beside the popular ones; each is a row read from anywhere.
MAX_NEIGHBOURS = 300


@dataclass(frozen=True)
class EligibleItems:
    """The items that may be recommended at one moment.

    Attributes:
        popular: (p,) the most popular of them, in the order of rows; all, where there are few.
        popular_place: (n,) int32, the position among the popular ones, or -1.
        popular_factors: (p, k).
        popular_trend: (p,).
        neighbour_trend: (n,) the trend of items that are candidates as neighbours only; zero for
            those that are popular, or may not be shown.
    """

    popular: Rows
    popular_place: Indices
    popular_factors: Factors
    popular_trend: Scores
    neighbour_trend: Scores

    @classmethod
    def where(cls, items: ItemModel, mask: NDArray[np.bool_]) -> "EligibleItems":
        """The items where an (n,) mask is true."""
        popular = np.sort(most_popular(items, mask)).astype(np.intp)
        neighbour_trend = np.where(mask, items.trend, np.float32(0))
        neighbour_trend[popular] = 0
        place = np.full(len(mask), -1, np.int32)
        place[popular] = np.arange(len(popular))
        factors, trend = items.factors[popular], items.trend[popular]
        return cls(popular, place, factors, trend, neighbour_trend)


def most_popular(items: ItemModel, mask: NDArray[np.bool_]) -> Indices:
    """Rows of the MAX_POPULAR most popular items where a mask is true, the most popular first."""
    return items.popular[mask.take(items.popular)][:MAX_POPULAR]


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
    """The candidates of b users: the p popular ones of `EligibleItems`, and c others in all.

    Attributes:
        rows: (c,) item rows, one user's after the other's; of a user none twice, none popular.
        bounds: (b + 1,) user i has rows[bounds[i]:bounds[i + 1]].
        sums: (c,) float32, of strength times neighbour score over the history.
        popular_sums: (b, p) float32, likewise.
        barred: user and position among the popular ones, for what a user must not see again.
    """

    rows: Rows
    bounds: Rows
    sums: Scores
    popular_sums: Scores
    barred: tuple[Rows, Indices]


def candidates(
    items: ItemModel,
    eligible: EligibleItems,
    histories: FadedHistories,
    stored: Sequence[Indices],
    scratch: Scratch,
) -> Candidates:
    """Find what to score for b users.

    Args:
        histories: of a user no item twice.
        stored: item rows of each user's nightly list.
    """
    entries = _entries(items, histories, stored, scratch)
    count = len(entries.rows)
    sums = np.asarray(np.bincount(entries.place, entries.weights, count), np.float64)
    trend = eligible.neighbour_trend.take(entries.rows)
    popular_sums = _popular_sums(eligible, entries, sums, np.flatnonzero(trend == 0))
    trend[entries.place[entries.barred]] = 0
    certain = np.zeros(len(trend), np.bool_)
    certain[entries.place[entries.known]] = True
    certain &= trend > 0
    values = sums * trend
    values[certain] = 0
    chosen = np.flatnonzero(_are_best(values, entries.bounds) | certain)
    place = eligible.popular_place.take(histories.items[histories.excluded])
    owners = histories.owners[histories.excluded]
    return Candidates(
        rows=entries.rows[chosen],
        bounds=chosen.searchsorted(entries.bounds),
        sums=sums[chosen].astype(np.float32),
        popular_sums=popular_sums,
        barred=(owners[place >= 0], place[place >= 0]),
    )


@dataclass(frozen=True, slots=True)
class _Entries:
    """Items that have a part in the candidates of b users, one user's after the other's.

    Of each user come the history, the stored list, and the neighbours of the history.

    Attributes:
        rows: (e,) item rows; -1 where a list of neighbours is padded.
        bounds: (b + 1,) user i has the entries bounds[i]:bounds[i + 1].
        place: (e,) the position of the user's last entry of the same item.
        weights: (e,) strength times neighbour score, zero for all but neighbours.
        known: positions of histories and stored lists.
        barred: positions of what a user must not see again.
    """

    rows: Rows
    bounds: Rows
    place: Rows
    weights: Scores
    known: Rows
    barred: Rows


def _entries(
    items: ItemModel, histories: FadedHistories, stored: Sequence[Indices], scratch: Scratch
) -> _Entries:
    near = items.neighbours.take(histories.items, axis=0)
    scores = items.neighbour_scores.take(histories.items, axis=0)
    scores *= histories.strengths[:, np.newaxis]
    known_counts = histories.counts + np.array([len(each) for each in stored], np.intp)
    bounds = np.zeros(len(stored) + 1, np.intp)
    np.cumsum(known_counts + histories.counts * near.shape[1], out=bounds[1:])
    rows, weights, end = list[Indices](), list[Scores](), 0
    for user, (seeds, known) in enumerate(
        zip(histories.counts.tolist(), known_counts.tolist(), strict=True)
    ):
        own = slice(end, end := end + seeds)
        rows += histories.items[own], stored[user], near[own].ravel()
        weights += np.zeros(known, np.float32), scores[own].ravel()
    entries = np.concatenate(rows, dtype=np.intp)
    of_seeds = concatenated_ranges(bounds[:-1], histories.counts)
    return _Entries(
        rows=entries,
        bounds=bounds,
        place=_common_places(entries, bounds, scratch.places(len(items.ids) + 1)),
        weights=np.concatenate(weights),
        known=concatenated_ranges(bounds[:-1], known_counts),
        barred=of_seeds[histories.excluded],
    )


def _common_places(entries: Rows, bounds: Rows, places: Rows) -> Rows:
    """For each entry the position of the user's last entry of the same item.

    Args:
        places: one for each item and one for -1, which pads; whatever is in there.
    """
    positions, found = np.arange(len(entries)), np.empty(len(entries), np.intp)
    for start, stop in pairwise(bounds.tolist()):
        own = entries[start:stop]
        places[own] = positions[start:stop]
        found[start:stop] = places[own]
    return found


def _popular_sums(
    eligible: EligibleItems, entries: _Entries, sums: NDArray[np.float64], some: Rows
) -> Scores:
    """(b, p) sums of the popular items, which are among some of the entries."""
    place = eligible.popular_place.take(entries.rows[some])
    some, place = some[place >= 0], place[place >= 0]
    owners = entries.bounds[1:].searchsorted(some, side="right")
    shape = len(entries.bounds) - 1, len(eligible.popular)
    found = np.bincount(
        owners * shape[1] + place, weights=sums[some], minlength=shape[0] * shape[1]
    )
    return found.reshape(shape).astype(np.float32)


def _are_best(values: NDArray[np.floating], bounds: Rows) -> NDArray[np.bool_]:
    """Whether a value is among each user's MAX_NEIGHBOURS highest positive ones, or their equal."""
    least = np.zeros(len(bounds) - 1)
    for user, (start, stop) in enumerate(pairwise(bounds.tolist())):
        if stop - start > MAX_NEIGHBOURS:
            least[user] = np.partition(values[start:stop], -MAX_NEIGHBOURS)[-MAX_NEIGHBOURS]
    return (values > 0) & (values >= np.repeat(least, np.diff(bounds)))
