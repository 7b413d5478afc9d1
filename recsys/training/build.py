"""From pairs to the two sides of a model: the same for the evaluated and the published one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import NoData
from recsys.core.fold_in import Factors
from recsys.core.model import History, ItemModel, UserModel
from recsys.core.recency import faded
from recsys.core.scoring import sum_of_neighbours
from recsys.training.als import Fit, Trained, fit_known, project_users, train_als
from recsys.training.combined_neighbours import CombinedNeighbours, combine
from recsys.training.content import ItemContent, with_content
from recsys.training.followers import item_followers
from recsys.training.interactions import InteractionMatrix
from recsys.training.neighbours import NeighbourLists, item_neighbours
from recsys.training.popularity import Shoppers, popular_items, rising_items
from recsys.training.settings import ModelSettings

# What the parts of a score are measured by: their best items for some of the users.
_MEASURED_USERS = 250
_MEASURED_ITEMS = 100
# Of all measured users by factors at once: 64 MB.
_MAX_SCORES = 2**24


@dataclass(frozen=True)
class BuiltModel:
    """A trained model before it has a version.

    Attributes:
        neighbour_weight: w of `recsys.core.scoring`.
        step_half_life: see `recsys.core.recency`.
        known_items: how many items have behaviour.
        content_r_squared: share of what the factors of held-out items have to say that their
            content foresees; None where there is no content, or too little of it to tell.
    """

    items: ItemModel
    users: UserModel
    trained: Trained
    neighbour_weight: float
    step_half_life: float | None
    known_items: int
    content_r_squared: float | None = None


def build_model(
    pairs: InteractionMatrix,
    titles: tuple[str, ...],
    eligible: NDArray[np.bool_],
    settings: ModelSettings,
    on_iteration: Callable[[int], None] = lambda _: None,
    fit: Fit = train_als,
    content: ItemContent | None = None,
) -> BuiltModel:
    """Train on all pairs.

    Args:
        titles: one an item row, empty where there is none.
        eligible: (n,) bool, the items that may be recommended.
        fit: who factorises.
        content: of the items, in the order of their rows, by which new and rare ones are known.

    Raises:
        NoData: when no pair has a positive strength.
    """
    strengths = pairs.matrix()
    if not strengths.nnz:
        raise NoData("no shopper has behaviour of positive weight: nothing to train on")
    shoppers = strengths.getnnz(axis=0)
    known = shoppers > 0
    known_items = int(known.sum())
    trained = fit_known(fit, strengths, settings.als, on_iteration)
    near = item_neighbours(strengths, eligible, settings.neighbours, settings.popularity_exponent)
    index, content_fit = None, None
    if content is not None:
        blended = with_content(
            *(content, shoppers, trained.item_factors, near),
            *(pairs.found_lately, eligible, settings.als.seed),
        )
        trained = replace(trained, item_factors=blended.factors)
        near, index, content_fit = blended.neighbours, blended.index, blended.fitted
    if content is not None or (settings.step_half_life is not None and pairs.is_ordered):
        trained = project_users(
            trained, pairs.faded_matrix(settings.step_half_life), settings.als, known_items
        )
    followers = (
        item_followers(pairs, eligible, settings.neighbours) if settings.order_weight else None
    )
    sample = Sample.of(
        pairs.indptr, pairs.histories(), trained.user_factors, settings.step_half_life, known
    )
    scales = Scales(
        factors=sample.factor_scale(trained.item_factors),
        neighbours=sample.neighbour_scale(near),
        followers=sample.neighbour_scale(followers) if followers else 0.0,
    )
    neighbours, weight = weighted_neighbours(near, followers, settings, scales)
    items = ItemModel(
        ids=pairs.items,
        titles=titles,
        factors=trained.item_factors,
        neighbours=neighbours.items,
        neighbour_scores=neighbours.scores,
        order_shares=neighbours.order_shares,
        trend=Shoppers.of(pairs).trends(settings.trend_exponent),
        popular=popular_items(pairs),
        eligible=eligible,
        rising=rising_items(pairs),
        content=index,
    )
    users = UserModel(pairs.users, trained.user_factors, pairs.indptr, pairs.histories())
    r_squared = content_fit.r_squared if content_fit else None
    step_half_life = settings.step_half_life
    return BuiltModel(items, users, trained, weight, step_half_life, known_items, r_squared)


def measured_users(users: int) -> NDArray[np.int64]:
    """Rows of the users that a `Sample` takes, spread evenly over all of them."""
    return np.unique(np.linspace(0, users - 1, _MEASURED_USERS).astype(np.int64))


@dataclass(frozen=True)
class Sample:
    """Some users, by whom the parts of a score are measured.

    Attributes:
        factors: (b, k).
        histories: b faded histories.
        known: (n,) bool, the items with behaviour: what else a catalogue holds has no say.
    """

    factors: Factors
    histories: Sequence[History]
    known: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        indptr: NDArray[np.int64],
        histories: History,
        user_factors: Factors,
        step_half_life: float | None,
        known: NDArray[np.bool_],
    ) -> "Sample":
        """Users spread evenly over all of them, without what they dislike: factors ignore it.

        Args:
            indptr: (u + 1,) user row r has histories indptr[r]:indptr[r + 1].
        """
        rows = measured_users(len(indptr) - 1)
        spans = (slice(indptr[row], indptr[row + 1]) for row in rows)
        some = [_liked(faded(histories.span(span), step_half_life)) for span in spans]
        return cls(user_factors[rows], some, known)

    def factor_scale(self, item_factors: Factors) -> float:
        """Mean score, by factors, of a user's best items."""
        known = item_factors[self.known]
        scores = len(self.factors) * len(known)
        blocks = np.array_split(self.factors, max(1, -(-scores // _MAX_SCORES)))
        return fmean(_mean_of_best(row) for users in blocks for row in users @ known.T)

    def neighbour_scale(self, lists: NeighbourLists) -> float:
        """Mean score, by neighbours, of a user's best items."""
        return fmean(
            _mean_of_best(sum_of_neighbours(lists.items, lists.scores, history)[self.known])
            for history in self.histories
        )


def _mean_of_best(scores: NDArray[np.float32]) -> float:
    if len(scores) > _MEASURED_ITEMS:
        # The least of the negated: numpy is twenty times slower on the ties at zero otherwise.
        scores = -np.partition(-scores, _MEASURED_ITEMS)[:_MEASURED_ITEMS]
    return float(scores.mean(dtype=np.float64))


@dataclass(frozen=True)
class Scales:
    """Scores of the best items by each part of a model alone, in which weights are measured."""

    factors: float
    neighbours: float
    followers: float


def weighted_neighbours(
    neighbours: NeighbourLists,
    followers: NeighbourLists | None,
    settings: ModelSettings,
    scales: Scales,
) -> tuple[CombinedNeighbours, float]:
    """The neighbour part of a model, and w of `recsys.core.scoring`.

    Weights of settings are in units of what the best items of each part score, and so mean the
    same in every shop and beside any factors.

    Args:
        followers: None when the order of behaviour is left out.
    """
    weight = settings.neighbour_weight * _ratio(scales.factors, scales.neighbours)
    if followers is None:
        return combine(neighbours, _no_lists(neighbours), 0.0, settings.neighbours), weight
    order_weight = settings.order_weight * _ratio(scales.factors, scales.followers)
    if not weight:
        neighbours, weight = _no_lists(neighbours), order_weight
    return combine(neighbours, followers, order_weight / weight, settings.neighbours), weight


def _no_lists(lists: NeighbourLists) -> NeighbourLists:
    return NeighbourLists.empty(len(lists.items), 0)


def _liked(history: History) -> History:
    """The history without negative strengths."""
    return replace(history, strengths=np.maximum(history.strengths, 0))


def _ratio(by_factors: float, by_neighbours: float) -> float:
    """Ratio of the two scales; one where a part says nothing."""
    return by_factors / by_neighbours if by_neighbours > 0 and by_factors > 0 else 1.0
