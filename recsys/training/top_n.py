"""The best n items of many users at once: `recsys.core.scoring` and `recsys.core.ranking` in bulk.

One matrix product a block of users, then one pass over the scores of each user while they are in
the cache: neighbours are added, what must not be listed falls out, the best are picked. Together
that costs little more than the product alone, see `make bench-train`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import literally, njit  # type: ignore[attr-defined]
from numpy.typing import NDArray

from recsys.core.compiled import compiled
from recsys.core.model import ItemModel, UserModel
from recsys.core.ranking import Indices
from recsys.core.recency import faded
from recsys.core.scoring import Scores
from recsys.training.best_of_row import keep_best, padded_length, scratch
from recsys.training.prefetch import prefetch_row
from recsys.training.threads import available_threads, on_threads, one_blas_thread

# A thread's scores: as many users as fit, for a product over few users is a slow one.
_SCORES_PER_BLOCK = 8_000_000
_MAX_USERS_PER_BLOCK = 256
# The neighbours of an item are fetched while those of the items before it are added.
_ENTRIES_AHEAD = 3


@dataclass(frozen=True)
class TopNLists:
    """The lists of b users.

    Attributes:
        items: (b, n) item rows, best first, padded with -1.
        scores: (b, n) float32, -inf where padded.
    """

    items: Indices
    scores: Scores


def top_n_lists(
    items: ItemModel,
    users: UserModel,
    rows: NDArray[np.int64],
    neighbour_weight: float,
    n: int,
    *,
    step_half_life: float | None = None,
    threads: int | None = None,
) -> TopNLists:
    """The best n items of some users; equal scores are ordered by item row.

    Args:
        rows: (b,) user rows.
        neighbour_weight: see `recsys.core.scoring`.
        step_half_life: see `recsys.core.recency`.
        threads: as many as there are processors when left open.
    """
    lists = TopNLists(np.empty((len(rows), n), np.int32), np.empty((len(rows), n), np.float32))
    trended = _padded_factors(items)
    # Padding adds its zeros to the last column, which is no item's.
    neighbours = np.where(items.neighbours < 0, trended.shape[1] - 1, items.neighbours)
    neighbours = np.ascontiguousarray(neighbours, np.uint32)
    neighbour_scores = neighbour_weight * items.neighbour_scores * items.trend[items.neighbours]
    # A shard must not pay for the histories of all users.
    first, last = (rows.min(), rows.max() + 1) if len(rows) else (0, 0)
    span = slice(users.indptr[first], users.indptr[last])
    histories = faded(users.histories.span(span), step_half_life)
    indptr = users.indptr - span.start
    pick = _picker(items.neighbours.shape[1])
    columns = trended.shape[1]
    barred = np.append(~items.recommendable, np.ones(columns - len(items.ids), np.bool_))
    barred_items = np.flatnonzero(barred).astype(np.int32)
    block = max(1, min(_MAX_USERS_PER_BLOCK, _SCORES_PER_BLOCK // columns))
    starts = iter(range(0, len(rows), block))

    def work(starts: Iterator[int]) -> None:
        buffer = np.empty((block, columns), np.float32)
        # Threads share the iterator, so one that is done early takes the next block.
        for start in starts:
            some = slice(start, start + block)
            scores = buffer[: len(rows[some])]
            np.matmul(users.factors[rows[some]], trended, out=scores)
            pick(
                *(rows[some], scores, lists.items[some], lists.scores[some], barred_items),
                *(indptr, histories.items, histories.strengths),
                *(histories.excluded, neighbours, neighbour_scores),
            )

    threads = threads or available_threads()
    with one_blas_thread():
        on_threads(work, [starts] * threads, threads)
    return lists


def _padded_factors(items: ItemModel) -> NDArray[np.float32]:
    """Item factors times trend, (k, columns): whole groups, at least one column of zeros."""
    padded = np.zeros((items.factors.shape[1], padded_length(len(items.ids))), np.float32)
    padded[:, : len(items.ids)] = (items.factors * items.trend[:, np.newaxis]).T
    return padded


@cache
def _picker(width: int) -> Callable[..., None]:
    """`_pick` for a number of neighbours an item."""

    @njit(nogil=True)
    def pick(  # type: ignore[no-untyped-def]
        rows, scores, items, best, barred, indptr, had, strengths, excluded, neighbours, alike
    ):
        _pick(
            rows, scores, items, best, barred,
            indptr, had, strengths, excluded, neighbours, alike, width,
        )  # fmt: skip

    return pick


@compiled
def _pick(  # type: ignore[no-untyped-def]
    rows, scores, best_items, best_scores, barred,
    indptr, had, strengths, excluded, neighbours, neighbour_scores, width,
):  # fmt: skip
    """Finish the scores of each user and keep the best."""
    literally(width)
    maxima, found = scratch(scores.shape[1])
    for user in range(len(rows)):
        row = scores[user]
        first, last = indptr[rows[user]], indptr[rows[user] + 1]
        for at in range(first, last):
            if at + _ENTRIES_AHEAD < last:
                prefetch_row(neighbours, had[at + _ENTRIES_AHEAD], width)
                prefetch_row(neighbour_scores, had[at + _ENTRIES_AHEAD], width)
            near, alike = neighbours[had[at]], neighbour_scores[had[at]]
            for place in range(width):
                row[near[place]] += strengths[at] * alike[place]
        for item in barred:
            row[item] = -np.inf
        for at in range(first, last):
            if excluded[at]:
                row[had[at]] = -np.inf
        keep_best(row, maxima, found, best_items[user], best_scores[user])
