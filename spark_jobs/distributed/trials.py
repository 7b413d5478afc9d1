"""Compute-parallel work: one task a trial, each on an executor by itself."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pyspark.sql import SparkSession

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
