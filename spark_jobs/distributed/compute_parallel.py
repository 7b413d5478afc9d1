"""Compute-parallel training: many models at a time, each trained whole by one executor.

One task a trial, for whatever is tried.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from pyspark.sql import SparkSession

from recsys.training.als import AlsSettings, Trained, train_als
from recsys.training.als.block import map_array, save_array
from spark_jobs.distributed.pairs_source import PairsSource, count_pairs
from spark_jobs.distributed.sharded_training import task_threads
from spark_jobs.distributed.strategy import Progress, no_progress

_ELSEWHERE = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class ComputeParallel:
    """See `TrainingStrategy`; progress is told when all are done.

    Attributes:
        folder: by which factors come back; the driver and every executor see it.
    """

    folder: Path

    def train(
        self,
        spark: SparkSession,
        pairs: PairsSource,
        trials: Sequence[AlsSettings],
        progress: Progress = no_progress,
    ) -> list[Trained]:
        """See `TrainingStrategy`."""
        count_pairs(spark, pairs)
        threads = task_threads(spark.sparkContext)
        with TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)

            def fit(trial: tuple[int, AlsSettings]) -> Trained:
                model = train_als(pairs.matrix(), trial[1], threads=threads)
                return _left_in(folder, trial[0], model)

            found = succeeded(run_trials(spark, list(enumerate(trials)), fit))
            for trial, settings in enumerate(trials):
                progress(trial, settings.iterations)
            return [_fetched(folder, trial, model) for trial, model in enumerate(found)]


def _left_in(folder: Path, trial: int, model: Trained) -> Trained:
    """The model without its factors, which go to files: Spark's results pass through one driver."""
    save_array(folder / f"users-{trial}.npy", model.user_factors)
    save_array(folder / f"items-{trial}.npy", model.item_factors)
    return replace(model, user_factors=_ELSEWHERE, item_factors=_ELSEWHERE)


def _fetched(folder: Path, trial: int, model: Trained) -> Trained:
    users, items = (map_array(folder / f"{side}-{trial}.npy") for side in ("users", "items"))
    return replace(model, user_factors=np.array(users), item_factors=np.array(items))


Trial = TypeVar("Trial")
Result = TypeVar("Result")


@dataclass(frozen=True)
class TrialFailure:
    """A trial that raised an error, as text: the trials beside it go on.

    Attributes:
        reason: the error in one line.
        details: its traceback.
    """

    reason: str
    details: str


class TrialError(RuntimeError):
    """A trial failed on its executor; the message is its traceback there."""


def run_trials(
    spark: SparkSession, trials: Sequence[Trial], objective: Callable[[Trial], Result]
) -> list[Result | TrialFailure]:
    """Run the objective on every trial, spread over the executors; results in their order.

    Spark runs a trial again whose executor dies. The objective reads what trials share from a file,
    or from a broadcast: what it has closed over is sent with every trial.
    """

    def attempt(trial: Trial) -> Result | TrialFailure:
        try:
            return objective(trial)
        except Exception as error:
            return TrialFailure(f"{type(error).__name__}: {error}", traceback.format_exc())

    if not trials:
        return []
    tasks = spark.sparkContext.parallelize(trials, len(trials)).map(attempt)
    return tasks.collect()


def succeeded(results: Sequence[Result | TrialFailure]) -> list[Result]:
    """The results, when all trials have one.

    Raises:
        TrialError: with the traceback of the first trial that failed.
    """
    found: list[Result] = []
    for result in results:
        if isinstance(result, TrialFailure):
            raise TrialError(result.details)
        found.append(result)
    return found
