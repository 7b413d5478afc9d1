"""Choice of the strategy for the trials of a search."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from scipy.sparse import csr_matrix

from recsys.training.als import train_als
from spark_jobs.nightly.plan import FitStrategy, Strategy
from spark_jobs.nightly.train_trials import chosen_trials
from tests.integration.distributed.same_model import SETTINGS, assert_same_model
from tests.integration.distributed.test_nightly_fit import a_context

TRIALS = [SETTINGS, replace(SETTINGS, regularization=SETTINGS.regularization * 10)]


@pytest.mark.parametrize("strategy", list(FitStrategy))
def test_every_strategy_trains_the_same_trials_in_their_order(
    cluster: SparkSession, shop: csr_matrix, tmp_path: Path, strategy: FitStrategy
) -> None:
    said: list[str] = []
    context = a_context(cluster, tmp_path, Strategy.AUTO)
    context = replace(context, plan=replace(context.plan, fit_strategy=strategy), say=said.append)

    found = list(chosen_trials(context)(shop, TRIALS))

    assert len(found) == len(TRIALS)
    for trained, settings in zip(found, TRIALS, strict=True):
        assert_same_model(shop, trained, train_als(shop, settings))
    # On a cluster trials that each fit an executor are spread over all of them.
    name = {"auto": "compute-parallel", "single": None}.get(strategy.value, strategy.value)
    assert said == ([f"2 trials {name}"] if name else [])
    assert not list(tmp_path.iterdir())
