"""Fixtures: a cluster, a small shop, and its pairs where the executors see them."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession
from scipy.sparse import csr_matrix

from recsys.training.als import Trained, train_als
from recsys.training.synthetic import SyntheticShop
from spark_jobs.distributed.pairs_source import PairsSource, write_pairs
from tests.integration.distributed.same_model import SETTINGS
from tests.integration.distributed.spark_cluster import spark_cluster


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Two executors of one core each."""
    with spark_cluster(tmp_path_factory.mktemp("cluster")) as spark:
        yield spark


@pytest.fixture(scope="package")
def shop() -> csr_matrix:
    """Strengths of 3,000 users and 500 items."""
    return SyntheticShop(3000, 500, 60_000).strengths()


@pytest.fixture(scope="package")
def pairs(shop: csr_matrix, tmp_path_factory: pytest.TempPathFactory) -> PairsSource:
    return write_pairs(shop, tmp_path_factory.mktemp("pairs") / "pairs.parquet")


@pytest.fixture(scope="package")
def single(shop: csr_matrix) -> Trained:
    """Train the shop's model in one process."""
    return train_als(shop, SETTINGS)
