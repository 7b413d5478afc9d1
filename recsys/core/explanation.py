"""Why items are recommended: scores taken apart by what the user did.

Both parts of a score are sums over the history. For neighbours that is their formula, in which what
was disliked takes away; for factors, which know of positive strengths only, it is Hu, Koren,
Volinsky (2008), section 5: with W = (Y^T C_u Y + lambda_u I)^-1,

    x_u . y_i = sum over j in the history of c_uj (y_j^T W y_i)
"""

from dataclasses import dataclass

import numpy as np

from recsys.core.compiled import compiled, well_behaved
from recsys.core.fold_in import Factors, confidence
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.ranking import Indices
from recsys.core.recency import faded
from recsys.core.scoring import KnownItems, Scores
from recsys.core.user_factors import user_system

# A table of so many entries stays in the cache of a core, whatever the number of items.
_LAST_BITS = 0xFFFF


@dataclass(frozen=True)
class Explanation:
    """The parts of the scores of l items for one history.

    Attributes:
        seeds: (m,) the items of the history that count, in its order.
        by_factors, by_neighbours: (l, m) what each adds, times trend; a part may be negative, and a
            seed of negative strength has none by factors.
        by_order: (l, m) what of `by_neighbours` is due to the order of behaviour.
        trend: (l,) of the items.
    """

    seeds: Indices
    by_factors: Scores
    by_neighbours: Scores
    by_order: Scores
    trend: Scores

    @property
    def scores(self) -> Scores:
        """(l,) the sums of all parts: the items' scores before masking."""
        return np.asarray((self.by_factors + self.by_neighbours).sum(axis=1))


def explain(
    items: ItemModel,
    params: ScoringParams,
    history: History,
    seen: KnownItems,
    wanted: KnownItems,
) -> Explanation:
    """Take apart the scores of items for a user with this history.

    The factors are those that fold-in finds, so the parts add up to the score of a live answer.

    Args:
        seen: the items of the history.
        wanted: the items with the scores.
    """
    history = faded(history, params.step_half_life)
    counted = history.strengths != 0
    seeds, strengths = seen.where(counted), history.strengths[counted]
    own_trend = wanted.own_trend()
    trend = own_trend[:, np.newaxis]
    factors = np.zeros((len(trend), len(seeds.rows)), np.float32)
    liked = strengths > 0
    by_factors = _by_factors(
        items, params, seeds.where(liked).own_factors(), strengths[liked], wanted.own_factors()
    )
    factors[:, liked] = trend * by_factors
    alike, order_shares = _alike(seeds, wanted.rows)
    neighbours = trend * params.neighbour_weight * strengths * alike
    return Explanation(
        seeds=seeds.rows,
        by_factors=factors,
        by_neighbours=neighbours,
        by_order=neighbours * order_shares,
        trend=own_trend,
    )


def _by_factors(
    items: ItemModel, params: ScoringParams, vectors: Factors, strengths: Scores, wanted: Factors
) -> Scores:
    """(l, m) what each seed adds to each item's product of factors.

    Args:
        vectors: (m, k) the factors of the seeds.
        wanted: (l, k) those of the items.
    """
    products = user_system(items, params, vectors, strengths).products(wanted)
    return np.asarray(products.T * confidence(strengths, params.alpha), np.float32)


def _alike(seeds: KnownItems, rows: Indices) -> tuple[Scores, Scores]:
    """(l, m) neighbour scores of seeds and items, and how much of each is due to the order."""
    places = well_behaved(seeds.places)
    place, seed, column = neighbours_among(seeds.neighbours, places, well_behaved(rows))
    scores, shares = np.zeros((2, len(rows), len(places)), np.float32)
    scores[place, seed] = seeds.neighbour_scores[places[seed], column]
    shares[place, seed] = seeds.order_shares[places[seed], column]
    return scores, shares


@compiled
def neighbours_among(neighbours, seeds, rows):  # type: ignore[no-untyped-def]
    """Which of some rows, each another, are neighbours of which seeds.

    Args:
        neighbours: (t, m) item rows.
        seeds: (s,) where each seed stands in these.
        rows: item rows.

    Returns:
        (3, f) position of the row, position of the seed, and column.
    """
    found, count = np.empty((3, len(seeds) * neighbours.shape[1]), np.int64), 0
    # Nearly all neighbours are other items, which the last bits of their rows tell.
    may_be_wanted = np.zeros(_LAST_BITS + 1, np.bool_)
    for row in rows:
        may_be_wanted[row & _LAST_BITS] = True
    for seed in range(len(seeds)):
        for column in range(neighbours.shape[1]):
            row = neighbours[seeds[seed], column]
            if may_be_wanted[row & _LAST_BITS]:
                for place in range(len(rows)):
                    if rows[place] == row:
                        found[:, count] = place, seed, column
                        count += 1
                        break
    return found[:, :count]
