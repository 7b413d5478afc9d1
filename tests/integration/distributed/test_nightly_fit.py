"""Choice of the training strategy in a nightly run."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from scipy.sparse import csr_matrix

from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError
from recsys.training.als import Device, Trained
from spark_jobs.event_snapshot.source import HBaseAddresses
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.fit import chosen_fit
from spark_jobs.nightly.plan import Plan, Strategy
from spark_jobs.nightly.run_folder import RunFolder, Window
from tests.integration.distributed.same_model import SETTINGS, assert_same_model


def a_context(spark: SparkSession, folder: Path, strategy: Strategy) -> Context:
    """All that training needs of a run; it speaks to no store."""
    plan = Plan("shop", Window(0, 1), load_shop(), strategy=strategy)
    return Context(
        plan=plan,
        spark=spark,
        hbase=HBaseAddresses("", None),
        items=None,
        models=None,
        publisher=None,
        folder=RunFolder(folder),
        holdout_days=1.0,
        cutoff=None,
        now_ms=lambda: 0,
        say=print,
    )


@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_strategy_trains_the_same_model(
    cluster: SparkSession, shop: csr_matrix, single: Trained, tmp_path: Path, strategy: Strategy
) -> None:
    told: list[int] = []
    fit = chosen_fit(a_context(cluster, tmp_path, strategy), print)
    found = fit(shop, SETTINGS, told.append)
    assert_same_model(shop, found, single)
    assert told == [1, 2, 3, 4]
    # What is small is trained where it is.
    name = "" if strategy in (Strategy.AUTO, Strategy.SINGLE) else strategy.value
    assert name in found.backend
    assert ("shards" in found.backend or "blocks" in found.backend) == bool(name)
    assert not list(tmp_path.iterdir())


def test_executors_are_not_asked_for_a_gpu(
    cluster: SparkSession, shop: csr_matrix, tmp_path: Path
) -> None:
    fit = chosen_fit(a_context(cluster, tmp_path, Strategy.DATA_PARALLEL), print)
    with pytest.raises(ConfigurationError, match="--strategy single"):
        fit(shop, replace(SETTINGS, device=Device.GPU), lambda _: None)
