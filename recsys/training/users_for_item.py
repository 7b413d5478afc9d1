"""Users whom an item suits best, for a campaign: scores of one item for all users of a model."""

import numpy as np

from recsys.core.model import ItemModel, TrainedModel
from recsys.core.ranking import Indices, top_n
from recsys.core.recency import faded
from recsys.core.scoring import Scores, hybrid

# Factors and histories of so many users, or items, take some megabytes.
_ROWS_PER_BLOCK = 16_384


def users_for_item(model: TrainedModel, item: int, limit: int) -> tuple[Indices, Scores]:
    """The rows of the users with the highest scores of an item, best first, and their scores.

    Who bought or disliked it is left out, and whom nothing speaks for it. Memory is that of the
    model and four bytes a user.

    Args:
        item: its row.
    """
    beside = _scores_beside(model.items, item)
    users = len(model.users.ids)
    scores = np.empty(users, np.float32)
    for start in range(0, users, _ROWS_PER_BLOCK):
        block = range(start, min(start + _ROWS_PER_BLOCK, users))
        scores[block.start : block.stop] = _block_scores(model, item, beside, block)
    best = top_n(np.where(scores > 0, scores, -np.inf).astype(np.float32), limit)
    return best, scores[best]


def _scores_beside(items: ItemModel, item: int) -> Scores:
    """(n,) the score that the item has as a neighbour of each."""
    beside = np.zeros(len(items.ids), np.float32)
    for start in range(0, len(beside), _ROWS_PER_BLOCK):
        block = slice(start, start + _ROWS_PER_BLOCK)
        rows, places = np.nonzero(items.neighbours[block] == item)
        beside[block][rows] = items.neighbour_scores[block][rows, places]
    return beside


def _block_scores(model: TrainedModel, item: int, beside: Scores, block: range) -> Scores:
    items, params = model.items, model.params
    indptr, histories = model.users.histories_of(block)
    owners = np.repeat(np.arange(len(block)), np.diff(indptr))
    weights = faded(histories, params.step_half_life).strengths * beside.take(histories.items)
    sums = np.bincount(owners, weights, minlength=len(block)).astype(np.float32)
    by_factors = model.users.factors[block.start : block.stop] @ items.factors[item]
    trend = np.full(len(block), items.trend[item], np.float32)
    scores = hybrid(by_factors, sums, params.neighbour_weight, trend)
    scores[owners[histories.excluded & (histories.items == item)]] = -np.inf
    return scores
