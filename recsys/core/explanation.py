"""Why an item is recommended: a score taken apart by what the user did.

Both parts of a score are sums over the history. For neighbours that is their formula, in which what
was disliked takes away; for factors, which know of positive strengths only, it is Hu, Koren,
Volinsky (2008), section 5: with W = (Y^T C_u Y + lambda_u I)^-1,

    x_u . y_i = sum over j in the history of c_uj (y_j^T W y_i)
"""

from dataclasses import dataclass

import numpy as np

from recsys.core.confidence import confidence
from recsys.core.fold_in import normal_system
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.ranking import Indices
from recsys.core.recency import faded
from recsys.core.scoring import Scores
from recsys.core.user_factors import user_lambda


@dataclass(frozen=True)
class Explanation:
    """The parts of the score of one item for one history.

    Attributes:
        seeds: (m,) the items of the history that count, the one that explains most first.
        by_factors, by_neighbours: (m,) what each adds, times trend; a part may be negative, and a
            seed of negative strength has none by factors.
        by_order: (m,) what of `by_neighbours` is due to the order of behaviour.
        trend: of the item.
    """

    seeds: Indices
    by_factors: Scores
    by_neighbours: Scores
    by_order: Scores
    trend: float

    @property
    def score(self) -> float:
        """The sum of all parts: the item's score before masking."""
        return float(self.by_factors.sum() + self.by_neighbours.sum())


def explain(
    items: ItemModel, params: ScoringParams, history: History, item_index: int
) -> Explanation:
    """Take apart the score of an item for a user with this history.

    The factors are those that fold-in finds, so the parts add up to the score of a live answer.
    """
    history = faded(history, params.step_half_life)
    counted = history.strengths != 0
    seeds, strengths = history.items[counted], history.strengths[counted]
    liked = strengths > 0
    vectors, positive = items.factors[seeds[liked]], strengths[liked]
    system = normal_system(
        vectors,
        items.gramian,
        positive,
        alpha=params.alpha,
        row_regularization=user_lambda(items, params, positive),
    )
    towards = np.linalg.solve(system, items.factors[item_index])
    trend = items.trend[item_index]
    factors = np.zeros(len(seeds), np.float32)
    factors[liked] = trend * confidence(positive, params.alpha) * (vectors @ towards)
    alike = items.neighbour_scores[seeds] * (items.neighbours[seeds] == item_index)
    weights = trend * params.neighbour_weight * strengths
    neighbours = weights * alike.sum(axis=1)
    by_order = weights * (alike * items.order_shares[seeds].astype(np.float32)).sum(axis=1)
    order = np.argsort(-(factors + neighbours), kind="stable")
    return Explanation(
        seeds=seeds[order],
        by_factors=factors[order].astype(np.float32),
        by_neighbours=neighbours[order].astype(np.float32),
        by_order=by_order[order].astype(np.float32),
        trend=float(trend),
    )
