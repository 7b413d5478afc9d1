"""One list an item of what the same shoppers want and of what they want next."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.model import NO_NEIGHBOUR
from recsys.core.ranking import Indices
from recsys.training.neighbours import NeighbourLists

_ROWS_PER_BLOCK = 16_384


@dataclass(frozen=True)
class CombinedNeighbours:
    """The neighbours of n items as `recsys.core.model.ItemModel` has them."""

    items: Indices
    scores: NDArray[np.float32]
    order_shares: NDArray[np.float16]


def combine(
    neighbours: NeighbourLists, followers: NeighbourLists, follower_weight: float, count: int
) -> CombinedNeighbours:
    """The best `count` of each item by neighbour score + weight * follower score.

    Both stand in one sum over the history, so that one list holds them.
    """
    n = len(neighbours.items)
    combined = CombinedNeighbours(
        np.full((n, count), NO_NEIGHBOUR, np.int32),
        np.zeros((n, count), np.float32),
        np.zeros((n, count), np.float16),
    )
    for start in range(0, n, _ROWS_PER_BLOCK):
        rows = slice(start, start + _ROWS_PER_BLOCK)
        _combine_rows(neighbours, followers, follower_weight, rows, combined)
    return combined


def _combine_rows(
    neighbours: NeighbourLists,
    followers: NeighbourLists,
    follower_weight: float,
    rows: slice,
    combined: CombinedNeighbours,
) -> None:
    items = np.concatenate([neighbours.items[rows], followers.items[rows]], axis=1)
    plain, ordered = np.zeros(items.shape, np.float32), np.zeros(items.shape, np.float32)
    own = neighbours.items.shape[1]
    plain[:, :own] = neighbours.scores[rows]
    ordered[:, own:] = follower_weight * followers.scores[rows]
    by_item = np.argsort(items, axis=1, kind="stable")
    items, plain, ordered = (
        np.take_along_axis(each, by_item, axis=1) for each in (items, plain, ordered)
    )
    # Of an item in both lists the neighbour's entry comes first, and takes the other one's score.
    twice = items[:, 1:] == items[:, :-1]
    ordered[:, :-1] += np.where(twice, ordered[:, 1:], 0)
    ordered[:, 1:][twice] = 0
    total = plain + ordered
    best = np.argsort(-total, axis=1, kind="stable")[:, : combined.items.shape[1]]
    items, total, ordered = (
        np.take_along_axis(each, best, axis=1) for each in (items, total, ordered)
    )
    width = slice(items.shape[1])
    listed = total > 0
    combined.items[rows, width] = np.where(listed, items, NO_NEIGHBOUR)
    combined.scores[rows, width] = np.where(listed, total, 0)
    combined.order_shares[rows, width] = np.where(listed, ordered / np.where(listed, total, 1), 0)
