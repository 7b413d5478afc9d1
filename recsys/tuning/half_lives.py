"""The search for a half-life: by factors of two, as long as each step gains."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from recsys.core.times import MS_PER_DAY
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from recsys.tuning.stepwise import Judged, best_by_steps

# Of the time that the data spans: what is longer fades nothing, what is shorter leaves nothing.
_LONGEST, _SHORTEST = 4.0, 0.001

_Judged = TypeVar("_Judged", bound=Judged)


def best_half_life(
    start: _Judged, name: str, span_days: float, judge: Callable[[ModelSettings], _Judged]
) -> _Judged:
    """Halve a half-life, or double it, until a step gains no more.

    Args:
        name: of the half-life among the settings.
        span_days: between the oldest and the newest behaviour.
        judge: makes and judges a model.
    """

    def changed(settings: ModelSettings, days: float) -> ModelSettings:
        value: dict[str, Any] = {name: days}
        return replace(settings, **value)

    days = getattr(start.settings, name)
    ways = (_steps(days, factor, span_days) for factor in (0.5, 2.0))
    return best_by_steps(start, ways, changed, judge)


def span_days(log: EventLog) -> float:
    """Days between the first and the last event of a log with times."""
    return float(np.ptp(log.times_ms()) / MS_PER_DAY)


def _steps(start_days: float, factor: float, span: float) -> Iterator[float]:
    # Nothing is older than the span: from there on down does a half-life begin to matter.
    days = min(start_days, span) if factor < 1 else start_days
    while _SHORTEST * span <= (days := days * factor) <= _LONGEST * span:
        yield days
