"""A search for settings by several executors, on a real cluster."""

from pathlib import Path

from pyspark.sql import SparkSession

from recsys.training.als import AlsSettings
from recsys.training.settings import ModelSettings
from recsys.tuning import hold_out
from recsys.tuning.trial import run_trial
from spark_jobs.tune_on_spark import tune_on_spark
from tests.builders import two_tastes_log

SMALL = ModelSettings(AlsSettings(factors=8, iterations=3))


def test_executors_search_together_and_the_best_is_what_it_says(
    cluster: SparkSession, tmp_path: Path
) -> None:
    validation = hold_out(two_tastes_log(timed=False), 180, 14, seed=1)

    found = tune_on_spark(cluster, validation, SMALL, 5.0, tmp_path / "trials.log")

    assert found.trials > 1
    assert found.ndcg >= found.default_ndcg
    assert found.ndcg == run_trial(validation, found.settings).ndcg
