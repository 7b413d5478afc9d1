"""The best candidates of one user, found and scored in compiled loops.

An answer looks at a few thousand neighbours and scores some 1,300 items. In steps of numpy that is
forty calls, most of which cost more than what they do; compiled it is one pass over memory. Which
items these are says `candidates`, that gateways and commands load without a compiler.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled, dot, well_behaved
from recsys.core.compiled_ranking import bar, best_of
from recsys.core.fold_in import Factors
from recsys.core.model import History, ItemModel
from recsys.core.ranking import Indices
from recsys.core.scoring import KnownItems, Scores

# 100 find nearly as much as 1000 beside the popular ones; each is a row read from anywhere.
MAX_NEIGHBOURS = 300
_LAST_TURN = 2**31 - 1


class ItemColumns(NamedTuple):
    """What is read of candidates, as it is in an item model."""

    factors: Factors
    trend: Scores

    @classmethod
    def of(cls, items: ItemModel) -> "ItemColumns":
        return cls(items.factors, items.trend)


class Turn(NamedTuple):
    """One use of a scratch: (n,) whose turn wrote to a row last, (n,) its sum, and whose it is."""

    turns: NDArray[np.int32]
    sums: Scores
    number: int


class Scratch:
    """A sum for each item that one thread may write to; the next user overwrites it."""

    def __init__(self) -> None:
        self._cells = np.empty((0, 2), np.int32)
        self._number = 0

    def turn(self, items: int) -> Turn:
        """Memory for that many items, with whatever was written to it last."""
        if len(self._cells) < items or self._number == _LAST_TURN:
            self._cells, self._number = np.zeros((items, 2), np.int32), 0
        self._number += 1
        # Side by side, since both are read from anywhere.
        return Turn(self._cells[:, 0], self._cells[:, 1].view(np.float32), self._number)


class Behaviour(NamedTuple):
    """The faded history of a user and the rows of the nightly list.

    Attributes:
        places: where the items of the history stand in `neighbours` and `neighbour_scores`.
    """

    items: Indices
    strengths: Scores
    excluded: NDArray[np.bool_]
    stored: Indices
    places: Indices
    neighbours: Indices
    neighbour_scores: Scores

    @classmethod
    def of(cls, history: History, seen: KnownItems, stored: Indices) -> "Behaviour":
        return cls(
            well_behaved(history.items),
            well_behaved(history.strengths),
            well_behaved(history.excluded),
            well_behaved(stored),
            well_behaved(seen.places),
            seen.neighbours,
            seen.neighbour_scores,
        )


@compiled
def best_by_all(columns, eligible, behaviour, vector, neighbour_weight, turn, most, n):  # type: ignore[no-untyped-def]
    """Rows and scores of the best n candidates by the whole model, best first, equal ones by row.

    Args:
        columns: ItemColumns.
        eligible: EligibleItems.
        behaviour: Behaviour; no item twice.
        vector: (k,) the user's factors.
        neighbour_weight: see `recsys.core.scoring`.
        turn: Turn.
        most: how many neighbours are scored, and hardly more.
    """
    scores, others = _summed(eligible, behaviour, turn, most)
    popular = len(eligible.popular)
    for place in range(popular):
        by_factors = dot(eligible.popular_factors[place], vector)
        by_all = by_factors + neighbour_weight * scores[place]
        scores[place] = by_all * eligible.popular_trend[place]
    for place in range(len(others)):
        row = others[place]
        by_factors = dot(columns.factors[row], vector)
        by_all = by_factors + neighbour_weight * scores[popular + place]
        scores[popular + place] = by_all * columns.trend[row]
    return _best(scores, others, behaviour, eligible, n)


@compiled
def best_by_neighbours(columns, eligible, behaviour, turn, most, n):  # type: ignore[no-untyped-def]
    """`best_by_all` without factors: the best of what neighbours speak for."""
    scores, others = _summed(eligible, behaviour, turn, most)
    popular = len(eligible.popular)
    for place in range(popular):
        scores[place] *= eligible.popular_trend[place]
    for place in range(len(others)):
        scores[popular + place] *= columns.trend[others[place]]
    for place in range(len(scores)):
        if scores[place] <= 0:
            scores[place] = -np.inf
    return _best(scores, others, behaviour, eligible, n)


@compiled
def _summed(eligible, behaviour, turn, most):  # type: ignore[no-untyped-def]
    """The sum over neighbours of each candidate, popular ones first; and the rows of the others."""
    popular = len(eligible.popular)
    found, certain = _sum_neighbours(behaviour, turn)
    others = _others(found, certain, turn.sums, eligible.neighbour_trend, most)
    sums = np.zeros(popular + len(others), np.float32)
    for row in found:
        place = eligible.popular_place[row]
        if place >= 0:
            sums[place] = turn.sums[row]
    for place in range(len(others)):
        sums[popular + place] = turn.sums[others[place]]
    return sums, others


@compiled
def _sum_neighbours(behaviour, turn):  # type: ignore[no-untyped-def]
    """Sum strength times neighbour score, for each item that has a part in a user's candidates.

    Returns:
        Their rows, none excluded and none twice, first those of the history and the nightly list;
        and how many these are. The sums are in the scratch.
    """
    seeds, near = behaviour.items, behaviour.neighbours
    found = np.empty(len(seeds) * (1 + near.shape[1]) + len(behaviour.stored), np.int32)
    count = 0
    for place in range(len(seeds)):
        if behaviour.excluded[place]:
            turn.turns[seeds[place]] = -turn.number
    for row in seeds:
        count = _find(row, turn, found, count)
    for row in behaviour.stored:
        count = _find(row, turn, found, count)
    certain = count
    for place in range(len(seeds)):
        seed, strength = behaviour.places[place], behaviour.strengths[place]
        for column in range(near.shape[1]):
            row = near[seed, column]
            if row >= 0:
                count = _find(row, turn, found, count)
                turn.sums[row] += strength * behaviour.neighbour_scores[seed, column]
    return found[:count], certain


@compiled
def _find(row, turn, found, count):  # type: ignore[no-untyped-def]
    """Note a row unless it is there, or excluded; returns how many there are."""
    last = turn.turns[row]
    if last == turn.number or last == -turn.number:
        return count
    turn.turns[row] = turn.number
    turn.sums[row] = 0
    found[count] = row
    return count + 1


@compiled
def _others(found, certain, sums, neighbour_trend, most):  # type: ignore[no-untyped-def]
    """Of what is not popular: all that is certain, and the neighbours with the highest values."""
    others, values = np.empty(len(found), np.int32), np.empty(len(found), np.float32)
    first = 0
    for row in found[:certain]:
        others[first] = row
        first += neighbour_trend[row] > 0
    count = first
    for row in found[certain:]:
        value = sums[row] * neighbour_trend[row]
        others[count], values[count] = row, value
        count += value > 0
    if count - first <= most:
        return others[:count]
    least, kept = bar(values[first:count], most), first
    for place in range(first, count):
        others[kept] = others[place]
        kept += values[place] >= least
    return others[:kept]


@compiled
def _best(scores, others, behaviour, eligible, n):  # type: ignore[no-untyped-def]
    popular = len(eligible.popular)
    for place in range(len(behaviour.items)):
        barred = eligible.popular_place[behaviour.items[place]]
        # What is not popular was never found.
        if behaviour.excluded[place] and barred >= 0:
            scores[barred] = -np.inf
    rows = np.empty(len(scores), np.int32)
    rows[:popular] = eligible.popular
    rows[popular:] = others
    return best_of(rows, scores, n)
