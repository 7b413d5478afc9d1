"""Diversity: exchange items of a list for ones that are less alike, one after the other.

How alike two items are is the cosine of their factors; an item without factors is like no other.
Choosing greedily by relevance and distance at once, as maximal marginal relevance does (Carbonell,
Goldstein, 1998), does not promise that a list gets more diverse when diversity counts more. Here
every exchange is one that raises the mean distance within the list, and which comes next does not
depend on how many are wanted: a higher diversity goes further along one and the same way. An
exchange is chosen by marginal relevance: who gives way has the least of it, who comes the most.
"""

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled, dot
from recsys.core.fold_in import Factors
from recsys.core.serving.caps import NOBODY, count, may_come

# What relevance counts beside likeness in the choice of an exchange.
_RELEVANCE_SHARE = np.float32(0.5)
# Less is rounding.
_LEAST_GAIN = np.float32(1e-4)
# Divided by instead of zero.
_TINY = np.float32(1e-12)

Positions = NDArray[np.int64]


def intra_list_distance(vectors: Factors) -> float:
    """Mean of 1 - cosine over the pairs of l vectors of length one; 0 for fewer than two."""
    items = len(vectors)
    if items < 2:
        return 0.0
    total = vectors.sum(axis=0, dtype=np.float64)
    own = np.einsum("ij,ij->", vectors, vectors, dtype=np.float64)
    return float(1 - (total @ total - own) / (items * (items - 1)))


@compiled
def unit_vectors(factors, rows):  # type: ignore[no-untyped-def]
    """Factors of rows, (c, k), of length one; zeros for rows without."""
    vectors = np.zeros((len(rows), factors.shape[1]), np.float32)
    for place in range(len(rows)):
        own = factors[rows[place]]
        length = max(np.sqrt(dot(own, own)), _TINY)
        for column in range(len(own)):
            vectors[place, column] = own[column] / length
    return vectors


@compiled
def diversified(vectors, relevance, chosen, fixed, exchanges, caps):  # type: ignore[no-untyped-def]
    """Exchange chosen candidates for others, each time with a gain in distance, within the caps.

    Args:
        vectors: (c + f, k) of the candidates, see `unit_vectors`, and of what stays in the list.
        relevance: (c,) positive.
        chosen: positions of the candidates in the list.
        fixed: f, how many stay.
        exchanges: at most so many.
        caps: `Caps`, with what is in the list; they count what leaves and comes.

    Returns:
        As many positions as were chosen, in no order.
    """
    candidates, members = len(relevance), chosen.copy()
    listed = len(members) + fixed
    if listed < 2 or not len(members):
        return members
    others = np.ones(candidates, np.bool_)
    total = np.zeros(vectors.shape[1], np.float32)
    for member in members:
        others[member] = False
        total += vectors[member]
    for place in range(candidates, candidates + fixed):
        total += vectors[place]
    # How alike each is to the list as a whole, without itself where it is in the list.
    likeness, highest = np.empty(candidates, np.float32), _TINY
    for place in range(candidates):
        likeness[place] = dot(vectors[place], total)
        highest = max(highest, relevance[place])
    worth = _RELEVANCE_SHARE * relevance / highest
    share = (np.float32(1) - _RELEVANCE_SHARE) / np.float32(listed - 1)
    for _ in range(exchanges):
        place = _least(members, worth, share, likeness, vectors)
        leaving = members[place]
        for each in range(candidates):
            likeness[each] -= dot(vectors[each], vectors[leaving])
        coming = _best(others, worth, share, likeness, leaving, caps)
        if coming == NOBODY:
            break
        count(caps, leaving, -1)
        count(caps, coming, 1)
        members[place] = coming
        others[leaving], others[coming] = True, False
        for each in range(candidates):
            likeness[each] += dot(vectors[each], vectors[coming])
    return members


@compiled
def _least(members, worth, share, likeness, vectors):  # type: ignore[no-untyped-def]
    """The place of the member with the least marginal relevance."""
    found, least = 0, np.float32(np.inf)
    for place in range(len(members)):
        member = members[place]
        beside = likeness[member] - dot(vectors[member], vectors[member])
        value = worth[member] - share * beside
        if value < least:
            found, least = place, value
    return found


@compiled
def _best(others, worth, share, likeness, leaving, caps):  # type: ignore[no-untyped-def]
    """Who is less alike than the one who leaves, and has the highest marginal relevance."""
    coming, best = NOBODY, np.float32(-np.inf)
    for each in range(len(others)):
        value = worth[each] - share * likeness[each]
        is_gain = likeness[leaving] - likeness[each] > _LEAST_GAIN
        if others[each] and is_gain and value > best and may_come(caps, each, leaving):
            coming, best = each, value
    return coming
