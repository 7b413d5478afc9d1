"""Lists of held-out users by parts of a score that are kept, blended in many ways.

What a part counts in the sum needs no training: the scores by factors are calculated once, and the
sparse parts are added for each blend.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import cached_njit
from recsys.core.model import NO_NEIGHBOUR, History
from recsys.core.ranges import concatenated_ranges
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores
from recsys.training.best_of_row import keep_best, padded_length, scratch
from recsys.training.combined_neighbours import CombinedNeighbours
from recsys.training.interactions import InteractionMatrix
from recsys.training.threads import available_threads, on_threads

_USERS_PER_BLOCK = 64


@dataclass(frozen=True)
class HeldOutUsers:
    """The histories of the b users whose lists are judged, in CSR form.

    Attributes:
        rows: (b,) int64, their rows.
        indptr: (b + 1,) int64.
        histories: of all b users, one after the other.
    """

    rows: NDArray[np.int64]
    indptr: NDArray[np.int64]
    histories: History

    @classmethod
    def of(cls, pairs: InteractionMatrix, rows: NDArray[np.int64]) -> "HeldOutUsers":
        """Take the users in these rows, (b,)."""
        lengths = np.diff(pairs.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        entries = concatenated_ranges(pairs.indptr[rows], lengths)
        histories = pairs.histories()
        return cls(
            rows,
            indptr,
            History(
                histories.items[entries],
                histories.strengths[entries],
                histories.excluded[entries],
                histories.steps[entries],
            ),
        )


def blended_lists(
    by_factors: Scores,
    indptr: NDArray[np.int64],
    histories: History,
    neighbours: CombinedNeighbours,
    weight: float,
    trend: NDArray[np.float32],
    length: int,
) -> Indices:
    """The best items of each user without those excluded, (b, length), padded with -1.

    Args:
        by_factors: (b, n) scores by factors.
        indptr, histories: of the b users, see `HeldOutUsers`; faded.
        weight: w of `recsys.core.scoring`.
        trend: (n,), multiplies the sum.
    """
    b = len(by_factors)
    found = np.full((b, length), NO_NEIGHBOUR, np.int32)

    def fill(start: int) -> None:
        _fill_block(
            *(by_factors, indptr, histories.items, histories.strengths, histories.excluded),
            *(neighbours.items, neighbours.scores, np.float32(weight)),
            *(trend, found, start, min(start + _USERS_PER_BLOCK, b)),
        )

    on_threads(fill, range(0, b, _USERS_PER_BLOCK), available_threads())
    return found


@cached_njit(nogil=True)
def _fill_block(  # type: ignore[no-untyped-def]
    by_factors, indptr, had, strengths, excluded, near, near_scores, weight, trend, found,
    start, stop,
):  # fmt: skip
    n = by_factors.shape[1]
    row = np.full(padded_length(n), np.float32(-np.inf))
    maxima, places = scratch(len(row))
    scores = np.empty(found.shape[1], np.float32)
    for user in range(start, stop):
        row[:n] = by_factors[user]
        for at in range(indptr[user], indptr[user + 1]):
            _add(row, near[had[at]], near_scores[had[at]], weight * strengths[at])
        for item in range(n):
            row[item] *= trend[item]
        for at in range(indptr[user], indptr[user + 1]):
            if excluded[at]:
                row[had[at]] = -np.inf
        keep_best(row, maxima, places, found[user], scores)


@cached_njit(nogil=True)
def _add(row, items, scores, weight):  # type: ignore[no-untyped-def]
    for place in range(len(items)):
        if items[place] == NO_NEIGHBOUR:
            break
        row[items[place]] += weight * scores[place]
