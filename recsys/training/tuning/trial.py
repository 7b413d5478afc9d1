"""One trial: factors and neighbours are trained once, then blended in several ways.

What a part counts in the sum can be changed after training, so these settings need no trial each.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.model import ItemSide
from recsys.training.build import BuiltModel, build_model
from recsys.training.evaluation import judge
from recsys.training.popularity import trends
from recsys.training.settings import ModelSettings
from recsys.training.top_n import top_n_lists
from recsys.training.tuning.validation import Validation

METRIC = "ndcg_at_20"
_K = 20
_NEIGHBOUR_WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0)
_TREND_EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)


@dataclass(frozen=True)
class TrialResult:
    """The best blend of a trial's model and how good it is on the validation part."""

    settings: ModelSettings
    ndcg: float


def run_trial(validation: Validation, settings: ModelSettings) -> TrialResult:
    """Train with these settings and find the blend that suits them best.

    The neighbour weight is looked for at the trend exponent that is set, then the exponent at that
    weight. Settings of a blend that cannot be judged, trends without time, stay as they are.
    """
    pairs = validation.pairs
    # What was left out must be recommendable, and what was seen must not, whatever its type.
    masked = replace(pairs, excluded=np.ones_like(pairs.excluded))
    items = len(pairs.items)
    built = build_model(masked, ("",) * items, np.ones(items, np.bool_), settings)
    found = [
        TrialResult(
            replace(settings, neighbour_weight=weight),
            _ndcg(validation, built, built.items, weight * built.part_ratio),
        )
        for weight in sorted({*_NEIGHBOUR_WEIGHTS, settings.neighbour_weight})
    ]
    best = max(found, key=lambda result: result.ndcg)
    if validation.timed:
        found = [_with_trend(validation, built, best.settings, e) for e in _TREND_EXPONENTS]
        best = max([best, *found], key=lambda result: result.ndcg)
    return best


def _with_trend(
    validation: Validation,
    built: BuiltModel,
    settings: ModelSettings,
    exponent: float,
) -> TrialResult:
    trend: NDArray[np.float32] = trends(validation.pairs, exponent)
    items = replace(built.items, trend=trend)
    ndcg = _ndcg(validation, built, items, settings.neighbour_weight * built.part_ratio)
    return TrialResult(replace(settings, trend_exponent=exponent), ndcg)


def _ndcg(validation: Validation, built: BuiltModel, items: ItemSide, weight: float) -> float:
    lists = top_n_lists(items, built.users, validation.test.users, weight, _K)
    return judge(lists.items, validation.test).means[METRIC]
