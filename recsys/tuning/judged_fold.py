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
from recsys.training.build import Sample, Scales, measured_users, weighted_neighbours
from recsys.training.followers import item_followers
from recsys.training.neighbours import NeighbourLists, item_neighbours
from recsys.training.popularity import Shoppers
from recsys.training.settings import ModelSettings
from recsys.tuning.blended_lists import HeldOutUsers, blended_lists
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
        self._fold = fold
        self.pairs, self.test = fold.pairs, fold.test
        self.users = HeldOutUsers.of(fold.pairs, fold.test.users)
        # Those that production measures the parts by, too, so that a weight means the same.
        self.measured = HeldOutUsers.of(fold.pairs, measured_users(len(fold.pairs.users)))
        self.neighbours = cache(self._neighbours)
        self.trend = cache(self._trend)
        self._shoppers = cache(self._shoppers_by)

    @cached_property
    def matrix(self) -> csr_matrix:
        """(u, n) strengths to train on."""
        return self.pairs.matrix()

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(n,) bool, the items with behaviour; what was left out may have been all there was."""
        return np.asarray(self.matrix.getnnz(axis=0) > 0)

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

    def _trend(
        self, exponent: float, half_life_days: float, popularity_half_life_days: float
    ) -> NDArray[np.float32]:
        return self._shoppers(half_life_days, popularity_half_life_days).trends(exponent)

    def _shoppers_by(self, *half_lives: float) -> Shoppers:
        return Shoppers.of(self._fold.with_half_lives(*half_lives).pairs)

    @property
    def _eligible(self) -> NDArray[np.bool_]:
        # What was left out must be recommendable.
        return np.ones(len(self.pairs.items), np.bool_)

    def factors(
        self, trained: Trained, als: AlsSettings, users: HeldOutUsers, step_half_life: float | None
    ) -> tuple[Factors, Factors]:
        """Factors of some users from faded histories, and of all items in the same basis."""
        own = replace(trained, user_factors=trained.user_factors[users.rows])
        if step_half_life is None or not self.pairs.is_ordered:
            return own.user_factors, own.item_factors
        history = faded(users.histories, step_half_life)
        shape = len(users.rows), len(self.pairs.items)
        positive = np.maximum(history.strengths, 0)
        matrix = csr_matrix((positive, history.items, users.indptr), shape=shape).copy()
        matrix.eliminate_zeros()
        projected = project_users(own, matrix, als)
        return projected.user_factors, projected.item_factors


class JudgedModel:
    """Factors trained on a fold, judged with any neighbours, order and trend beside them."""

    def __init__(self, fold: JudgedFold, trained: Trained, als: AlsSettings) -> None:
        self._fold, self._trained, self._als = fold, trained, als
        # Scores by factors are the largest thing here: those of one half-life at a time.
        self._half_life: float | None = -1.0

    def ndcg(self, settings: ModelSettings) -> NDArray[np.float64]:
        """NDCG@20 of each judged user, by the lists that a model of these settings would give."""
        fold, count = self._fold, settings.neighbours
        self._fade(settings.step_half_life)
        neighbours, weight = weighted_neighbours(
            fold.neighbours(settings.popularity_exponent).shortened(count),
            fold.followers.shortened(count) if settings.order_weight else None,
            settings,
            self._scales(settings),
        )
        lists = blended_lists(
            self._by_factors,
            fold.users.indptr,
            self._histories,
            neighbours,
            weight,
            fold.trend(settings.trend_exponent, *settings.half_lives),
            LIST_LENGTH,
        )
        return evaluate_lists(lists, fold.test, k=LIST_LENGTH).per_user[METRIC]

    def _fade(self, step_half_life: float | None) -> None:
        if step_half_life == self._half_life:
            return
        fold, users = self._fold, self._fold.users
        self._half_life = step_half_life
        self._histories = faded(users.histories, step_half_life)
        user_factors, item_factors = fold.factors(self._trained, self._als, users, step_half_life)
        self._by_factors = user_factors @ item_factors.T
        measured = fold.measured
        user_factors, item_factors = fold.factors(
            self._trained, self._als, measured, step_half_life
        )
        self._sample = Sample.of(
            *(measured.indptr, measured.histories, user_factors, step_half_life, fold.known)
        )
        self._factor_scale = self._sample.factor_scale(item_factors)
        self._neighbour_scales: dict[tuple[float | None, int], float] = {}

    def _scales(self, settings: ModelSettings) -> Scales:
        count = settings.neighbours
        return Scales(
            factors=self._factor_scale,
            neighbours=self._neighbour_scale(settings.popularity_exponent, count),
            followers=self._neighbour_scale(None, count) if settings.order_weight else 0.0,
        )

    def _neighbour_scale(self, exponent: float | None, count: int) -> float:
        """The scale of neighbours by their exponent; None is for followers."""
        fold, key = self._fold, (exponent, count)
        if key not in self._neighbour_scales:
            lists = fold.followers if exponent is None else fold.neighbours(exponent)
            self._neighbour_scales[key] = self._sample.neighbour_scale(lists.shortened(count))
        return self._neighbour_scales[key]
