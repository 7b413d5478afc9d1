"""From pairs to the two sides of a model: the same for the evaluated and the published one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import NoData
from recsys.core.model import ItemSide, UserSide
from recsys.training.als import AlsSettings, Trained, train_als
from recsys.training.neighbours import item_neighbours
from recsys.training.pairs import Pairs
from recsys.training.popularity import popular_items, trends

# More of them made the score worse on every data set tried; similar items beyond are popular ones.
NEIGHBOURS_AN_ITEM = 50


@dataclass(frozen=True)
class BuiltModel:
    """A trained model before it has a version."""

    items: ItemSide
    users: UserSide
    trained: Trained


def build_model(
    pairs: Pairs,
    titles: tuple[str, ...],
    eligible: NDArray[np.bool_],
    settings: AlsSettings,
    on_iteration: Callable[[int], None] = lambda _: None,
) -> BuiltModel:
    """Train on all pairs.

    Args:
        titles: one an item row, empty where there is none.
        eligible: (n,) bool, the items that may be recommended.

    Raises:
        NoData: when no pair has a positive strength.
    """
    strengths = pairs.matrix()
    if not strengths.nnz:
        raise NoData("no shopper has behaviour of positive weight: nothing to train on")
    trained = train_als(strengths, settings, on_iteration)
    neighbours, scores = item_neighbours(strengths, eligible, NEIGHBOURS_AN_ITEM)
    items = ItemSide(
        ids=pairs.items,
        titles=titles,
        factors=trained.item_factors,
        neighbours=neighbours,
        neighbour_scores=scores,
        trend=trends(pairs),
        popular=popular_items(pairs),
        eligible=eligible,
    )
    users = UserSide(pairs.users, trained.user_factors, pairs.indptr, pairs.histories())
    return BuiltModel(items, users, trained)
