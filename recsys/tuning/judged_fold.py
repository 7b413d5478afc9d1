"""A fold of the validation, with what needs no training kept for all trials."""

from dataclasses import replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.fold_in import Factors
from recsys.core.recency import faded
from recsys.evaluation import evaluate_lists
from recsys.training.als import AlsSettings, Trained, project_users
from recsys.training.build import Sample, ratio
from recsys.training.followers import item_followers
from recsys.training.neighbours import NeighbourLists, item_neighbours
from recsys.training.popularity import trends
from recsys.training.settings import ModelSettings
from recsys.tuning.blended_lists import Blend, HeldOutUsers, blended_lists
from recsys.tuning.validation import Fold

METRIC = "ndcg_at_20"
LIST_LENGTH = 20
# The most neighbours an item is given; shorter lists are the first of these.
MAX_NEIGHBOURS = 200
# Of a large catalogue fewer: (n, m) numbers stay below a gigabyte.
_MAX_NEIGHBOUR_ENTRIES = 50_000_000


class JudgedFold:
    """Judges models trained on a fold; keeps neighbours, followers and trends."""

    def __init__(self, fold: Fold) -> None:
        self.pairs, self.test = fold.pairs, fold.test
        self.users = HeldOutUsers.of(fold.pairs, fold.test.users)
        self.neighbours = cache(self._neighbours)
        self.trend = cache(self._trend)

    @cached_property
    def matrix(self) -> csr_matrix:
        """(u, n) strengths to train on."""
        return self.pairs.matrix()

    @cached_property
    def max_neighbours(self) -> int:
        """Number of neighbours an item is given at most."""
        return min(MAX_NEIGHBOURS, max(50, _MAX_NEIGHBOUR_ENTRIES // len(self.pairs.items)))

    @cached_property
    def followers(self) -> NeighbourLists:
        """See `recsys.training.followers`."""
        return item_followers(self.pairs, self._eligible, self.max_neighbours)

    def _neighbours(self, popularity_exponent: float) -> NeighbourLists:
        return item_neighbours(
            self.matrix, self._eligible, self.max_neighbours, popularity_exponent
        )

    def _trend(self, exponent: float) -> NDArray[np.float32]:
        return trends(self.pairs, exponent)

    @property
    def _eligible(self) -> NDArray[np.bool_]:
        # What was left out must be recommendable.
        return np.ones(len(self.pairs.items), np.bool_)

    def user_factors(
        self, trained: Trained, als: AlsSettings, step_half_life: float | None
    ) -> tuple[Factors, Factors]:
        """Factors of the judged users from faded histories, and of all items in the same basis."""
        own = replace(trained, user_factors=trained.user_factors[self.test.users])
        if step_half_life is None:
            return own.user_factors, own.item_factors
        history = faded(self.users.histories, step_half_life)
        shape = len(self.test), len(self.pairs.items)
        positive = np.maximum(history.strengths, 0)
        matrix = csr_matrix((positive, history.items, self.users.indptr), shape=shape).copy()
        matrix.eliminate_zeros()
        projected = project_users(own, matrix, als)
        return projected.user_factors, projected.item_factors


class JudgedModel:
    """Factors trained on a fold, judged with any neighbours, order and trend beside them."""

    def __init__(self, fold: JudgedFold, trained: Trained, als: AlsSettings) -> None:
        self._fold, self._trained, self._als = fold, trained, als
        # Scores by factors are the largest thing here: those of one half-life at a time.
        self._half_life: float | None = -1.0

    def ndcg(self, settings: ModelSettings) -> float:
        """NDCG@20 of the judged users."""
        fold = self._fold
        self._fade(settings.step_half_life)
        near = fold.neighbours(settings.popularity_exponent)
        parts = [(near, self._weight(settings.neighbour_weight, settings.popularity_exponent))]
        if settings.order_weight:
            parts.append((fold.followers, self._weight(settings.order_weight, None)))
        shortened = [(lists.shortened(settings.neighbours), weight) for lists, weight in parts]
        blend = Blend(tuple(shortened), fold.trend(settings.trend_exponent))
        lists = blended_lists(
            self._by_factors, fold.users.indptr, self._histories, blend, LIST_LENGTH
        )
        return evaluate_lists(lists, fold.test, k=LIST_LENGTH).means[METRIC]

    def _fade(self, step_half_life: float | None) -> None:
        if step_half_life == self._half_life:
            return
        fold = self._fold
        self._half_life = step_half_life
        self._histories = faded(fold.users.histories, step_half_life)
        user_factors, item_factors = fold.user_factors(self._trained, self._als, step_half_life)
        self._by_factors = user_factors @ item_factors.T
        self._sample = Sample.of(
            fold.users.indptr, fold.users.histories, user_factors, step_half_life
        )
        self._factor_scale = self._sample.factor_scale(item_factors)
        self._scales: dict[float | None, float] = {}

    def _weight(self, weight: float, exponent: float | None) -> float:
        """A weight in units of the parts' best scores as a plain factor; None is for followers."""
        if not weight:
            return 0.0
        if exponent not in self._scales:
            fold = self._fold
            lists = fold.followers if exponent is None else fold.neighbours(exponent)
            scale = self._sample.neighbour_scale(lists)
            self._scales[exponent] = ratio(self._factor_scale, scale)
        return weight * self._scales[exponent]
