"""The search along one setting: in steps, as long as each gains."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from recsys.training.settings import ModelSettings

# Less is chance on a few thousand users.
MIN_GAIN = 0.003


class Judged(Protocol):
    """Settings and how good they are."""

    @property
    def settings(self) -> ModelSettings: ...

    @property
    def ndcg(self) -> float: ...


_Judged = TypeVar("_Judged", bound=Judged)


def best_by_steps(
    start: _Judged,
    ways: Iterable[Iterable[float]],
    changed: Callable[[ModelSettings, float], ModelSettings],
    judge: Callable[[ModelSettings], _Judged],
) -> _Judged:
    """Go one way until a step gains no more; the next way only if nothing was gained.

    Args:
        ways: values of the setting in the order in which they are tried.
        changed: the settings with such a value.
        judge: makes and judges a model.
    """
    for values in ways:
        best = start
        for value in values:
            tried = judge(changed(best.settings, value))
            if tried.ndcg <= best.ndcg * (1 + MIN_GAIN):
                break
            best = tried
        if best is not start:
            return best
    return start
