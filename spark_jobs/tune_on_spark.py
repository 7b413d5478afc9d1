"""Tuning in parallel: every task of a Spark cluster searches, all with one journal of trials."""

from pathlib import Path

from pyspark.sql import SparkSession

from recsys.training.settings import ModelSettings
from recsys.tuning import Tuned, Validation, tune
from spark_jobs.distributed.trials import run_trials, succeeded


def tune_on_spark(
    spark: SparkSession,
    validation: Validation,
    settings: ModelSettings,
    seconds: float,
    journal: Path,
) -> Tuned:
    """Search with as many workers as the cluster runs tasks at a time.

    Args:
        journal: in a folder that the driver and every executor see. Trials that a lost executor
            had finished are kept, and Spark starts its search again.

    Raises:
        ConfigurationError: when the journal belongs to a search over other data or settings.
        TrialError: when a worker failed.
    """
    # Made here, so that workers find it and none makes it a second time.
    tune(validation, settings, 0.0, journal=journal)
    shared = spark.sparkContext.broadcast(validation)

    def search(worker: int) -> int:
        found = tune(shared.value, settings, seconds, journal=journal, sampler_seed=worker + 1)
        return found.trials

    workers = range(spark.sparkContext.defaultParallelism)
    succeeded(run_trials(spark, list(workers), search))
    return tune(validation, settings, 0.0, journal=journal)
