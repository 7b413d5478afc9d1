"""The best n of a long row of scores, compiled: for callers that hold one row after the other."""

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.compiled_ranking import bar, descending
from recsys.core.model import NO_NEIGHBOUR

# Scores are looked at in groups of 32, sixteen groups side by side: the width of a register.
_GROUP, _LANES = 32, 16
_WHOLE = _GROUP * _LANES


@compiled
def padded_length(columns):  # type: ignore[no-untyped-def]
    """The length a row must have to hold this many scores: whole groups, and at least one more."""
    return (columns // _WHOLE + 1) * _WHOLE


@compiled
def scratch(length):  # type: ignore[no-untyped-def]
    """Make the buffer of `keep_best` for rows of that length, to be used for any number of them."""
    return np.empty(length // _GROUP, np.float32), np.empty(length, np.int32)


@compiled
def keep_best(row, maxima, found, items, scores):  # type: ignore[no-untyped-def]
    """Fill `items` and `scores`, n each, with the best columns of a row and what they score.

    Best first, equal ones by column; -inf is no score. Where there are fewer than n, the rest is
    NO_NEIGHBOUR and -inf. `row` has a length of `padded_length`, the padding -inf.

    Where n groups' maxima reach a bar, n scores at least do, so no score below it is among the best
    n: only the groups that reach it are looked at one by one.
    """
    n = len(items)
    _group_maxima(row, maxima)
    least = bar(maxima, n)
    count = 0
    for group in range(len(maxima)):
        if maxima[group] >= least and maxima[group] > -np.inf:
            start = group // _LANES * (_GROUP * _LANES) + group % _LANES
            for item in range(start, start + _GROUP * _LANES, _LANES):
                found[count] = item
                count += row[item] >= least and row[item] > -np.inf
    rows, best = descending(row[found[:count]], found[:count])
    for place in range(n):
        listed = place < count
        items[place] = rows[place] if listed else NO_NEIGHBOUR
        scores[place] = best[place] if listed else -np.inf


@compiled
def keep_best_neighbours(row, eligible, maxima, found, neighbours, scores):  # type: ignore[no-untyped-def]
    """`keep_best` of the positive scores of eligible items, padded with scores of zero.

    `row` is of `padded_length` and holds a score for each of the (n,) `eligible`; it is written to.
    """
    items = len(eligible)
    for other in range(items):
        listed = row[other] > 0 and eligible[other]
        row[other] = row[other] if listed else -np.inf
    row[items:] = -np.inf
    keep_best(row, maxima, found, neighbours, scores)
    for place in range(len(neighbours)):
        if neighbours[place] == NO_NEIGHBOUR:
            scores[place] = 0


@compiled
def _group_maxima(row, maxima):  # type: ignore[no-untyped-def]
    for block in range(len(row) // (_GROUP * _LANES)):
        start = block * _GROUP * _LANES
        for lane in range(_LANES):
            highest = row[start + lane]
            for place in range(1, _GROUP):
                score = row[start + place * _LANES + lane]
                highest = score if score > highest else highest
            maxima[block * _LANES + lane] = highest
