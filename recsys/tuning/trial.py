"""One trial: factors and neighbours are trained once, then blended in several ways.

What a part counts in the sum can be changed after training, so these settings need no trial each.
"""

from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation import judge
from recsys.training.build import BuiltModel, build_model
from recsys.training.pairs import Pairs
from recsys.training.popularity import trends
from recsys.training.settings import ModelSettings
from recsys.training.top_n import top_n_lists
from recsys.tuning.validation import Fold, Validation

METRIC = "ndcg_at_20"
_K = 20
_NEIGHBOUR_WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0)
_TREND_EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)


@dataclass(frozen=True)
class TrialResult:
    """The best blend of a trial's model and how good it is on the validation part."""

    settings: ModelSettings
    ndcg: float


@dataclass(frozen=True)
class _JudgedModel:
    """What was trained on a fold, to be blended."""

    fold: Fold
    built: BuiltModel

    def with_trend(self, exponent: float) -> "_JudgedModel":
        trend: NDArray[np.float32] = trends(self.fold.pairs, exponent)
        items = replace(self.built.items, trend=trend)
        return replace(self, built=replace(self.built, items=items))

    def ndcg(self, neighbour_weight: float) -> float:
        """NDCG@20 when neighbours count so much, see `ModelSettings`."""
        built, test = self.built, self.fold.test
        weight = neighbour_weight * built.part_ratio
        lists = top_n_lists(built.items, built.users, test.users, weight, _K)
        return judge(lists.items, test).means[METRIC]


def run_trial(validation: Validation, settings: ModelSettings) -> TrialResult:
    """Train with these settings and find the blend that suits them best.

    The neighbour weight is looked for at the trend exponent that is set, then the exponent at that
    weight. Settings of a blend that cannot be judged, trends without time, stay as they are.
    """
    models = [_JudgedModel(fold, _trained_on(fold.pairs, settings)) for fold in validation.folds]
    weights = sorted({*_NEIGHBOUR_WEIGHTS, settings.neighbour_weight})
    found = [_judged(models, replace(settings, neighbour_weight=weight)) for weight in weights]
    best = max(found, key=lambda result: result.ndcg)
    if validation.timed:
        found = [_with_trend(models, best.settings, e) for e in _TREND_EXPONENTS]
        best = max([best, *found], key=lambda result: result.ndcg)
    return best


def _with_trend(
    models: list[_JudgedModel], settings: ModelSettings, exponent: float
) -> TrialResult:
    trended = [model.with_trend(exponent) for model in models]
    return _judged(trended, replace(settings, trend_exponent=exponent))


def _judged(models: list[_JudgedModel], settings: ModelSettings) -> TrialResult:
    ndcg = fmean(model.ndcg(settings.neighbour_weight) for model in models)
    return TrialResult(settings, ndcg)


def _trained_on(pairs: Pairs, settings: ModelSettings) -> BuiltModel:
    # What was left out must be recommendable, and what was seen must not, whatever its type.
    masked = replace(pairs, excluded=np.ones_like(pairs.excluded))
    items = len(pairs.items)
    return build_model(masked, ("",) * items, np.ones(items, np.bool_), settings)
