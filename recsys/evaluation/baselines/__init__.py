"""The models that ours is measured against: each fits training data and gives a score function.

They rank what the model ranks; `recsys.evaluation.score_functions.masked` leaves out the same items
for all. `BASELINES` in `by_name` has them all.
"""

from collections.abc import Callable
from dataclasses import dataclass

from recsys.evaluation.data import EvaluationData
from recsys.evaluation.ranked_lists import ScoreFunction
from recsys.training.interactions import InteractionMatrix


@dataclass(frozen=True)
class Baseline:
    """A model to compare with.

    Attributes:
        fit: trains it.
        check: raises ConfigurationError, quickly, for data that it cannot be trained on.
        needs_sequences: whether it learns from the order of a user's items.
    """

    fit: Callable[[EvaluationData], ScoreFunction]
    check: Callable[[EvaluationData], None] = lambda _: None
    needs_sequences: bool = False


def of_pairs(
    fit: Callable[[InteractionMatrix], ScoreFunction],
    check: Callable[[InteractionMatrix], None] = lambda _: None,
) -> Baseline:
    """A baseline that looks at nothing but who had what."""
    return Baseline(lambda data: fit(data.pairs), lambda data: check(data.pairs))
