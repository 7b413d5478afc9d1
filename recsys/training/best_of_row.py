"""The best n of a long row of scores, compiled: for callers that hold one row after the other."""

import numpy as np
from numba import njit

from recsys.core.model import NO_NEIGHBOUR

# Scores are looked at in groups of 32, sixteen groups side by side: the width of a register.
_GROUP, _LANES = 32, 16
_WHOLE = _GROUP * _LANES
_BISECTIONS = 24
_SIGN, _NOT_SIGN = np.uint32(1 << 31), np.uint32((1 << 31) - 1)
# All but "no infinities": -inf is what may not be listed.
_compiled = njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "contract", "reassoc"})


@_compiled
def padded_length(columns):  # type: ignore[no-untyped-def]
    """The length a row must have to hold this many scores: whole groups, and at least one more."""
    return (columns // _WHOLE + 1) * _WHOLE


@_compiled
def scratch(length):  # type: ignore[no-untyped-def]
    """Make the buffer of `keep_best` for rows of that length, to be used for any number of them."""
    return np.empty(length // _GROUP, np.float32), np.empty(length, np.int32)


@_compiled
def keep_best(row, maxima, found, items, scores):  # type: ignore[no-untyped-def]
    """Fill `items` and `scores`, n each, with the best columns of a row and what they score.

    Best first, equal ones by column; -inf is no score. Where there are fewer than n, the rest is
    NO_NEIGHBOUR and -inf. `row` has a length of `padded_length`, the padding -inf.

    Where n groups' maxima reach a bar, n scores at least do, so no score below it is among the best
    n: only the groups that reach it are looked at one by one.
    """
    n = len(items)
    _group_maxima(row, maxima)
    bar = _bar(maxima, n)
    count = 0
    for group in range(len(maxima)):
        if maxima[group] >= bar and maxima[group] > -np.inf:
            start = group // _LANES * (_GROUP * _LANES) + group % _LANES
            for item in range(start, start + _GROUP * _LANES, _LANES):
                found[count] = item
                count += row[item] >= bar and row[item] > -np.inf
    order = descending(row, found[:count])
    for place in range(n):
        listed = place < count
        items[place] = order[place] if listed else NO_NEIGHBOUR
        scores[place] = row[order[place]] if listed else -np.inf


@_compiled
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


@_compiled
def _group_maxima(row, maxima):  # type: ignore[no-untyped-def]
    for block in range(len(row) // (_GROUP * _LANES)):
        start = block * _GROUP * _LANES
        for lane in range(_LANES):
            highest = row[start + lane]
            for place in range(1, _GROUP):
                score = row[start + place * _LANES + lane]
                highest = score if score > highest else highest
            maxima[block * _LANES + lane] = highest


@_compiled
def _bar(maxima, n):  # type: ignore[no-untyped-def]
    """A value that n of the maxima reach, and hardly more of them do; -inf where there are fewer.

    By bisection: counting is one pass of wide registers, the exact n-th of them would take several
    times as long.
    """
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for maximum in maxima:
        if maximum > -np.inf:
            low = min(low, maximum)
        high = max(high, maximum)
    if _count(maxima, low) < n:
        return np.float32(-np.inf)
    for _ in range(_BISECTIONS):
        middle = np.float32(0.5) * low + np.float32(0.5) * high
        reached = _count(maxima, middle)
        if reached < n:
            high = middle
        else:
            low = middle
            if reached <= n + n // 8:
                break
    return low


@_compiled
def _count(maxima, bar):  # type: ignore[no-untyped-def]
    reached = 0
    for maximum in maxima:
        reached += maximum >= bar
    return reached


@_compiled
def descending(row, items):  # type: ignore[no-untyped-def]
    """Items by score, best first, equal ones by row.

    One sort of integers: the bits of a float, turned so that they grow as it falls, then the row.
    """
    chosen, keys = row[items], np.empty(len(items), np.uint64)
    every = chosen.view(np.uint32)
    for place in range(len(items)):
        # The two zeros are equal.
        bits = every[place] if chosen[place] != 0 else np.uint32(0)
        falling = bits if bits & _SIGN else ~bits & _NOT_SIGN
        keys[place] = np.uint64(falling) << np.uint64(32) | np.uint64(items[place])
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int32)
