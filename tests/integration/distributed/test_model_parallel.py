from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from scipy.sparse import csr_matrix

from recsys.training.als import AlsSettings, Trained
from spark_jobs.distributed.model_parallel import ModelParallel
from spark_jobs.distributed.pairs_source import PairsSource
from tests.integration.distributed.same_model import SETTINGS, assert_same_model
from tests.integration.distributed.spark_cluster import an_executor_dies


@pytest.mark.parametrize("shards", [2, 3])
def test_the_model_is_that_of_one_process(
    cluster: SparkSession,
    shop: csr_matrix,
    pairs: PairsSource,
    single: Trained,
    tmp_path: Path,
    shards: int,
) -> None:
    (found,) = ModelParallel(tmp_path, shards).train(cluster, pairs, [SETTINGS])
    assert_same_model(shop, found, single)
    assert not list(tmp_path.iterdir()), "what was kept meanwhile is still there"


def test_an_executor_killed_in_the_middle_changes_not_one_bit(
    cluster: SparkSession, pairs: PairsSource, tmp_path: Path
) -> None:
    settings = AlsSettings(factors=16, iterations=3)
    (whole,) = ModelParallel(tmp_path).train(cluster, pairs, [settings])
    with an_executor_dies() as progress:
        (found,) = ModelParallel(tmp_path).train(cluster, pairs, [settings], progress)
    assert np.array_equal(found.user_factors, whole.user_factors)
    assert np.array_equal(found.item_factors, whole.item_factors)
