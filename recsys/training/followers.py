"""Item followers: which products people want next.

    f_ji = sum over shoppers of v_uj v_ui / d,  d = 1 ... 5 moments from j to i

where v_uj^2 is the share of j in the strengths of its moment, so that an order of fifty lines
weighs as one of two. Sums are divided by the roots of what j leads to and of what leads to i, as
those of `recsys.training.neighbours` are. Unlike these, f is directed: what follows a tent is no
reason for a tent. (First-order Markov chains over a window, as in Rendle et al., "Factorizing
Personalized Markov Chains", 2010.)
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import cached_njit
from recsys.training.best_of_row import keep_best_neighbours, padded_length, scratch
from recsys.training.interactions import InteractionMatrix
from recsys.training.neighbours import MAX_ITEMS_PER_USER, NeighbourLists, in_blocks

# What comes later is a coincidence more often than a consequence.
WINDOW = 5
_compiled = cached_njit(nogil=True)


def item_followers(
    pairs: InteractionMatrix, eligible: NDArray[np.bool_], count: int
) -> NeighbourLists:
    """The `count` eligible items that most often follow each item.

    Args:
        eligible: (n,) bool.
    """
    items = len(pairs.items)
    found = NeighbourLists.empty(items, count)
    columns, steps, values, ends = _sequences(pairs)
    leads, follows = _totals(columns, steps, values, ends, items)
    order = np.argsort(columns, kind="stable")
    indptr = np.searchsorted(columns[order], np.arange(items + 1))
    fill = partial(
        _fill_block,
        *(indptr, order, columns, steps, values, ends),
        *(_inverse_root(leads), _inverse_root(follows), eligible, found.items, found.scores),
    )
    in_blocks(fill, items)
    return found


def _sequences(
    pairs: InteractionMatrix,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Items of positive strength in each user's order, their steps, v and where the user ends.

    Of a user with very many only the newest are there.
    """
    users = np.repeat(np.arange(len(pairs.users)), np.diff(pairs.indptr))
    counted = np.flatnonzero(pairs.strengths > 0)
    order = counted[np.lexsort((-pairs.steps[counted], users[counted]))]
    ends = np.searchsorted(users[order], users[order], side="right")
    newest = ends - np.arange(len(order)) <= MAX_ITEMS_PER_USER
    if not newest.all():
        order = order[newest]
        ends = np.searchsorted(users[order], users[order], side="right")
    steps, strengths = pairs.steps[order], pairs.strengths[order]
    is_new = (np.diff(users[order], prepend=-1) != 0) | (np.diff(steps, prepend=-1) != 0)
    moments = np.cumsum(is_new) - 1
    shares = strengths / np.bincount(moments, weights=strengths)[moments]
    return pairs.item_indices[order], steps, np.sqrt(shares).astype(np.float32), ends


def _inverse_root(sums: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.where(sums > 0, np.maximum(sums, np.finfo(np.float32).tiny) ** -0.5, 0.0).astype(
        np.float32
    )


@_compiled
def _totals(columns, steps, values, ends, items):  # type: ignore[no-untyped-def]
    """Sums of f's numerator over i for every j, and over j for every i."""
    leads, follows = np.zeros(items), np.zeros(items)
    for at in range(len(columns)):
        for later in range(at + 1, ends[at]):
            distance = steps[at] - steps[later]
            if distance > WINDOW:
                break
            if distance > 0 and columns[at] != columns[later]:
                weight = values[at] * values[later] / distance
                leads[columns[at]] += weight
                follows[columns[later]] += weight
    return leads, follows


@_compiled
def _fill_block(  # type: ignore[no-untyped-def]
    indptr, order, columns, steps, values, ends, lead_scale, follow_scale,
    eligible, followers, scores, start, stop,
):  # fmt: skip
    """Rows start to stop of f, the best of each; one row is held at a time."""
    items = len(eligible)
    row = np.zeros(padded_length(items), np.float32)
    maxima, found = scratch(len(row))
    for item in range(start, stop):
        row[:] = 0
        for place in range(indptr[item], indptr[item + 1]):
            at = order[place]
            for later in range(at + 1, ends[at]):
                distance = steps[at] - steps[later]
                if distance > WINDOW:
                    break
                if distance > 0:
                    row[columns[later]] += values[at] * values[later] / distance
        row[item] = 0
        for other in range(items):
            row[other] = row[other] * lead_scale[item] * follow_scale[other]
        keep_best_neighbours(row, eligible, maxima, found, followers[item], scores[item])
