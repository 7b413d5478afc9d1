"""Settings that lie around others: a step up and down of each number that a climb changes."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from recsys.training.als import AlsSettings
from recsys.training.als.half_step import row_lambdas
from recsys.training.als.settings import resolved_alpha
from recsys.training.settings import ModelSettings

# What is multiplied at first, and then by which power when nothing around was better.
_STEPS = {"alpha_scale": 2.0, "regularization": 1.8, "frequency_weight": 3.0}
# Nothing is tried outside of these.
BOUNDS = {
    "alpha_scale": (0.05, 40.0),
    "regularization": (1e-5, 0.1),
    "frequency_weight": (0.05, 100.0),
}


def around(settings: ModelSettings, power: float, strengths: csr_matrix) -> Iterator[ModelSettings]:
    """The settings with one number after the other a step higher and lower.

    Args:
        power: of the step; less than 1 for one that is smaller than at first.
        strengths: (u, n), on which they are trained.
    """
    for name, step in _STEPS.items():
        for factor in (step**power, step**-power):
            changed = _changed(settings, name, factor)
            if name == "regularization":
                yield changed
                continue
            # Else lambda would change with it, of which nothing is to be learnt here.
            before, after = (_mean_lambda(strengths, each.als) for each in (settings, changed))
            yield _changed(changed, "regularization", before / after)


def with_als(settings: ModelSettings, **changes: object) -> ModelSettings:
    """The settings with other ones of the factors."""
    return replace(settings, als=replace(settings.als, **changes))  # type: ignore[arg-type]


def _changed(settings: ModelSettings, name: str, factor: float) -> ModelSettings:
    least, most = BOUNDS[name]
    return with_als(settings, **{name: min(max(getattr(settings.als, name) * factor, least), most)})


def onward(before: ModelSettings, after: ModelSettings) -> ModelSettings:
    """The step from one to the other once more."""
    further = after
    for name in _STEPS:
        old, new = (getattr(each.als, name) for each in (before, after))
        # What did not change stays as it is: it may be zero, or outside of the bounds.
        if old and new != old:
            further = _changed(further, name, new / old)
    return further


def key_of(settings: ModelSettings) -> tuple[float, ...]:
    als = settings.als
    return tuple(round(getattr(als, name), 9) for name in _STEPS)


def _mean_lambda(strengths: csr_matrix, als: AlsSettings) -> float:
    """The geometric mean of users' and items' lambda in the mean over these."""
    alpha = resolved_alpha(strengths, als)
    means = [
        row_lambdas(side, alpha, als).mean(dtype=np.float64) for side in (strengths, strengths.T)
    ]
    return float(np.sqrt(means[0] * means[1]))
