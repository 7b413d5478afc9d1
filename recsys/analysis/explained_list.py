"""One user's list taken apart: how much of each score comes from each thing done before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.explanation import explain
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.ranking import Indices, top_n
from recsys.core.scoring import KnownItems, Scores, score_users
from recsys.core.user_factors import history_factors


@dataclass(frozen=True)
class ExplainedList:
    """A list of l items and the parts of their scores by m seeds.

    Attributes:
        items: (l,) item rows, best first.
        scores: (l,) as a live answer gives them.
        seeds: (m,) the items of the history that count, what explains most of the list first.
        by_factors, by_neighbours: (l, m); a row of both adds up to the item's score.
        by_order: (l, m), what of `by_neighbours` is due to the order of behaviour.
    """

    items: Indices
    scores: Scores
    seeds: Indices
    by_factors: NDArray[np.float64]
    by_neighbours: NDArray[np.float64]
    by_order: NDArray[np.float64]

    @property
    def sums(self) -> NDArray[np.float64]:
        """(l,) all parts of each item."""
        return np.asarray((self.by_factors + self.by_neighbours).sum(axis=1))

    def by_seed(self, seeds: int) -> NDArray[np.float64]:
        """(l, seeds + 1) parts of the first seeds, then of all others together."""
        parts = self.by_factors + self.by_neighbours
        return np.column_stack([parts[:, :seeds], parts[:, seeds:].sum(axis=1)])


def explain_list(
    items: ItemModel, params: ScoringParams, history: History, n: int
) -> ExplainedList:
    """Score all items for a history by fold-in, and explain the best n."""
    factors = history_factors(items, params, history)[np.newaxis, :]
    [scores] = score_users(
        factors, items, [history], params.neighbour_weight, params.step_half_life
    )
    best = top_n(scores, n)
    seen, wanted = KnownItems.of(items, history.items), KnownItems.of(items, best)
    found = explain(items, params, history, seen, wanted)
    by_factors, by_neighbours, by_order = (
        part.astype(np.float64) for part in (found.by_factors, found.by_neighbours, found.by_order)
    )
    order = np.argsort(-(by_factors + by_neighbours).sum(axis=0), kind="stable")
    return ExplainedList(
        *(best, scores[best], found.seeds[order]),
        *(by_factors[:, order], by_neighbours[:, order], by_order[:, order]),
    )
