"""Interface of all strategies to train on a cluster."""

from collections.abc import Callable, Sequence
from typing import Protocol

from pyspark.sql import SparkSession

from recsys.training.als import AlsSettings, Trained
from spark_jobs.distributed.pairs_source import PairsSource

# Called with the number of a training and that of its finished iterations, by any thread.
Progress = Callable[[int, int], None]


def no_progress(_trial: int, _iterations: int) -> None:
    """Nobody wants to know."""


class TrainingStrategy(Protocol):
    """A way to spread trainings over a cluster.

    Whichever is taken, the models are those of `train_als` but for rounding.
    """

    def train(
        self,
        spark: SparkSession,
        pairs: PairsSource,
        trials: Sequence[AlsSettings],
        progress: Progress = no_progress,
    ) -> list[Trained]:
        """Train a model on all pairs with each of the settings, in their order.

        Raises:
            InvalidInput: when a strength is not a positive number, or there is none.
        """
        ...
