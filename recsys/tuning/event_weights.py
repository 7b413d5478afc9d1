"""The search for the weight of a type of events: by factors of three, as long as a step gains."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from recsys.config.shop import Shop
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from recsys.tuning.stepwise import Judged, best_by_steps

_STEP = 3.0
# From what hardly counts to what drowns all else; a search begins again each night.
_MOST_STEPS = 4
# A type that is rarer changes less than can be judged.
_MIN_SHARE = 0.01

_Judged = TypeVar("_Judged", bound=Judged)


def searched_types(log: EventLog, shop: Shop) -> tuple[str, ...]:
    """Types of events whose weight may be searched for, the most frequent ones first.

    What weights are beside each other is all that counts: where the shop fixes none, that of the
    strongest type that recommendations are judged by stays.
    """
    names = list(log.event_types)
    shares = np.bincount(log.types, minlength=len(names)) / max(len(log), 1)
    weights = {name: kind.weight for name, kind in log.event_types.items()}
    counted = [
        at for at, name in enumerate(names) if weights[name] > 0 and shares[at] >= _MIN_SHARE
    ]
    free = [at for at in counted if names[at] in shop.unfixed_weights]
    if len(free) == len(counted) and free:
        free.remove(max(free, key=lambda at: (log.target_types[at], weights[names[at]])))
    return tuple(names[at] for at in sorted(free, key=lambda at: -shares[at]))


def best_weight(
    start: _Judged, name: str, weight: float, judge: Callable[[ModelSettings], _Judged]
) -> _Judged:
    """Divide the weight of a type by three, or multiply it, until a step gains no more.

    Args:
        weight: that it has at the start.
        judge: makes and judges a model.
    """

    def changed(settings: ModelSettings, to: float) -> ModelSettings:
        weights: Mapping[str, float] = {**settings.event_weights, name: to}
        return replace(settings, event_weights=weights)

    return best_by_steps(start, (_steps(weight, 1 / _STEP), _steps(weight, _STEP)), changed, judge)


def _steps(weight: float, factor: float) -> Iterator[float]:
    return (float(f"{weight * factor**power:.4g}") for power in range(1, _MOST_STEPS + 1))
