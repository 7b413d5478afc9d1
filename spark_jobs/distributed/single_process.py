"""Training in the driver alone, with the interface of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from pyspark.sql import SparkSession

from recsys.training.als import AlsSettings, Trained, train_als
from spark_jobs.distributed.pairs_source import PairsSource
from spark_jobs.distributed.strategy import Progress, no_progress


@dataclass(frozen=True)
class SingleProcess:
    """See `TrainingStrategy`; the fastest while everything fits the driver."""

    def train(
        self,
        spark: SparkSession,  # noqa: ARG002 - others need it
        pairs: PairsSource,
        trials: Sequence[AlsSettings],
        progress: Progress = no_progress,
    ) -> list[Trained]:
        """See `TrainingStrategy`."""
        strengths = pairs.matrix()
        return [
            train_als(strengths, settings, partial(progress, trial))
            for trial, settings in enumerate(trials)
        ]
