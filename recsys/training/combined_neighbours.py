"""One list an item of what the same shoppers want and of what they want next."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import cached_njit
from recsys.core.compiled_ranking import descending
from recsys.core.model import NO_NEIGHBOUR
from recsys.core.ranking import Indices
from recsys.training.neighbours import NeighbourLists, in_blocks


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
    combined = NeighbourLists.empty(n, count)
    shares = np.zeros((n, count), np.float32)
    combine_block = partial(
        _combine_block,
        *(neighbours.items, neighbours.scores),
        *(followers.items, followers.scores, np.float32(follower_weight)),
        *(combined.items, combined.scores, shares),
    )
    in_blocks(combine_block, n)
    return CombinedNeighbours(combined.items, combined.scores, shares.astype(np.float16))


@cached_njit(nogil=True)
def _combine_block(  # type: ignore[no-untyped-def]
    near, near_scores, next_, next_scores, next_weight, items, scores, shares, start, stop
):
    total, ordered = np.zeros(len(near), np.float32), np.zeros(len(near), np.float32)
    listed = np.empty(near.shape[1] + next_.shape[1], np.int32)
    for row in range(start, stop):
        count = 0
        for place in range(near.shape[1]):
            item = near[row, place]
            if item == NO_NEIGHBOUR:
                break
            listed[count] = item
            count += 1
            total[item] = near_scores[row, place]
        for place in range(next_.shape[1]):
            item, score = next_[row, place], next_weight * next_scores[row, place]
            if item == NO_NEIGHBOUR or score <= 0:
                break
            if total[item] == 0:
                listed[count] = item
                count += 1
            total[item] += score
            ordered[item] = score
        best, _ = descending(total[listed[:count]], listed[:count])
        for place in range(min(count, items.shape[1])):
            item = best[place]
            items[row, place], scores[row, place] = item, total[item]
            shares[row, place] = ordered[item] / total[item]
        for item in listed[:count]:
            total[item], ordered[item] = 0, 0
