"""The blend of a trained model's parts: what each counts, found from kept scores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation import Estimate, paired_difference
from recsys.evaluation.intervals import user_mean
from recsys.training.settings import ModelSettings
from recsys.tuning.half_lives import best_half_life
from recsys.tuning.judged_fold import JudgedModel
from recsys.tuning.stepwise import MIN_GAIN

_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
_ORDER_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0)
_STEP_HALF_LIVES = (None, 16.0, 8.0, 4.0, 2.0, 1.0)
_EXPONENTS = (0.3, 0.4, 0.5, 0.65, 0.8)
_COUNTS = (50, 100, 200)
_TRENDS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
_FINER = (0.6, 0.8, 1.25, 1.6)


@dataclass(frozen=True)
class Blended:
    """Settings and how good they are.

    Attributes:
        by_fold: NDCG@20 of each judged user of each fold.
    """

    settings: ModelSettings
    by_fold: tuple[NDArray[np.float64], ...] = field(compare=False, repr=False)

    @cached_property
    def ndcg(self) -> float:
        """NDCG@20, in the mean over the folds."""
        return fmean(map(user_mean, self.by_fold))

    def minus(self, other: "Blended") -> Estimate:
        """Gain over other settings, user by user."""
        ours, theirs = (np.concatenate(each.by_fold) for each in (self, other))
        return paired_difference(ours, theirs)


class BlendSearch:
    """Tries settings that need no training on the models of one trial, one for each fold.

    Args:
        ordered: whether it is known what users did first.
        timed: whether the held-out part is of a later time, so that trends can be judged.
        popularity_span_days: time that the data spans, where the half-life of popularity may be
            tried; else None.
    """

    def __init__(
        self,
        models: Sequence[JudgedModel],
        *,
        ordered: bool,
        timed: bool,
        popularity_span_days: float | None = None,
    ) -> None:
        self._models, self._ordered, self._timed = models, ordered, timed
        self._popularity_span_days = popularity_span_days
        self._tried: dict[ModelSettings, Blended] = {}

    def judged(self, settings: ModelSettings) -> Blended:
        """These settings as they are."""
        if settings not in self._tried:
            by_fold = tuple(model.ndcg(settings) for model in self._models)
            self._tried[settings] = Blended(settings, by_fold)
        return self._tried[settings]

    def rough(self, settings: ModelSettings) -> Blended:
        """The best of a few blends, enough to tell which factors are better."""
        best = self._best(self.judged(settings), neighbour_weight=(0.0, 0.2, 0.5))
        if not self._ordered:
            return best
        with_order = self.judged(
            replace(
                best.settings, order_weight=best.settings.order_weight or 0.25, step_half_life=2.0
            )
        )
        return max(best, with_order, key=lambda each: each.ndcg)

    def fine(self, settings: ModelSettings) -> Blended:
        """The best blend, one setting after the other."""
        best = self._best(self.judged(settings), neighbour_weight=_WEIGHTS)
        best = self._best(best, popularity_exponent=_EXPONENTS)
        best = self._best(best, neighbours=_COUNTS)
        if self._ordered:
            best = self._with_order(best)
        best = self._finer(best, "neighbour_weight")
        if self._popularity_span_days is not None:
            name, span = "popularity_half_life_days", self._popularity_span_days
            best = best_half_life(best, name, span, self.judged)
        if self._timed:
            best = self._best(best, trend_exponent=_TRENDS)
        return best

    def _with_order(self, plain: Blended) -> Blended:
        best = plain
        for half_life in _STEP_HALF_LIVES:
            start = self.judged(replace(best.settings, step_half_life=half_life))
            best = max(best, self._best(start, order_weight=_ORDER_WEIGHTS), key=_ndcg)
        best = self._best(best, popularity_exponent=_EXPONENTS)
        best = self._finer(best, "order_weight")
        return best if best.ndcg > plain.ndcg * (1 + MIN_GAIN) else plain

    def _finer(self, best: Blended, name: str) -> Blended:
        weight = getattr(best.settings, name)
        return self._best(best, **{name: [weight * each for each in _FINER]})

    def _best(self, start: Blended, **values: Iterable[Any]) -> Blended:
        """The best of some values of one setting, or what there was."""
        ((name, tried),) = values.items()
        changed = (self.judged(replace(start.settings, **{name: value})) for value in tried)
        return max([start, *changed], key=_ndcg)


def _ndcg(blended: Blended) -> float:
    return blended.ndcg
