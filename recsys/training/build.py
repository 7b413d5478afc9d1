"""From pairs to the two sides of a model: the same for the evaluated and the published one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.errors import NoData
from recsys.core.model import ItemSide, UserSide
from recsys.core.scoring import neighbour_part
from recsys.training.als import AlsSettings, Trained, train_als
from recsys.training.neighbours import item_neighbours
from recsys.training.pairs import Pairs
from recsys.training.popularity import popular_items, trends
from recsys.training.settings import ModelSettings

# Factorises a matrix (u, n), and tells the number of finished iterations: see `train_als`.
Fit = Callable[[csr_matrix, AlsSettings, Callable[[int], None]], Trained]

# What the two parts of a score are measured by: their best items for some of the users.
_MEASURED_USERS = 1000
_MEASURED_ITEMS = 100


@dataclass(frozen=True)
class BuiltModel:
    """A trained model before it has a version.

    Attributes:
        neighbour_weight: w of `recsys.core.scoring`.
        part_ratio: how many times larger the factor part of a score is than the neighbour part.
    """

    items: ItemSide
    users: UserSide
    trained: Trained
    neighbour_weight: float
    part_ratio: float


def build_model(
    pairs: Pairs,
    titles: tuple[str, ...],
    eligible: NDArray[np.bool_],
    settings: ModelSettings,
    on_iteration: Callable[[int], None] = lambda _: None,
    fit: Fit = train_als,
) -> BuiltModel:
    """Train on all pairs.

    Args:
        titles: one an item row, empty where there is none.
        eligible: (n,) bool, the items that may be recommended.
        fit: who factorises.

    Raises:
        NoData: when no pair has a positive strength.
    """
    strengths = pairs.matrix()
    if not strengths.nnz:
        raise NoData("no shopper has behaviour of positive weight: nothing to train on")
    trained = fit(strengths, settings.als, on_iteration)
    neighbours, scores = item_neighbours(
        strengths, eligible, settings.neighbours, settings.popularity_exponent
    )
    items = ItemSide(
        ids=pairs.items,
        titles=titles,
        factors=trained.item_factors,
        neighbours=neighbours,
        neighbour_scores=scores,
        trend=trends(pairs, settings.trend_exponent),
        popular=popular_items(pairs),
        eligible=eligible,
    )
    users = UserSide(pairs.users, trained.user_factors, pairs.indptr, pairs.histories())
    ratio = _part_ratio(items, users)
    return BuiltModel(items, users, trained, settings.neighbour_weight * ratio, ratio)


def _part_ratio(items: ItemSide, users: UserSide) -> float:
    """How many times larger the factor part of a score is than the neighbour part.

    Measured by the mean of the best items of each, over users spread evenly. What they dislike is
    left out, for the factors do not know it.
    """
    rows = np.unique(np.linspace(0, len(users.ids) - 1, _MEASURED_USERS).astype(int))
    by_factors = by_neighbours = 0.0
    for row in rows:
        by_factors += _mean_of_best(items.factors @ users.factors[row])
        history = users.history(row)
        liked = replace(history, strengths=np.maximum(history.strengths, 0))
        by_neighbours += _mean_of_best(neighbour_part(items, liked))
    return by_factors / by_neighbours if by_neighbours > 0 and by_factors > 0 else 1.0


def _mean_of_best(scores: NDArray[np.float32]) -> float:
    first = max(len(scores) - _MEASURED_ITEMS, 0)
    return float(np.partition(scores, first)[first:].mean(dtype=np.float64))
