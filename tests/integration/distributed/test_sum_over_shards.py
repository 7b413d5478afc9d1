"""Few arrays are added up by the driver, many by the executors: to the same bits."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from spark_jobs.distributed.sum_over_shards import FEW_SHARDS, sum_over_shards


@pytest.mark.parametrize("count", [1, 2, FEW_SHARDS, FEW_SHARDS + 1, 2 * FEW_SHARDS])
def test_the_sum_is_that_of_the_shards_in_their_order(cluster: SparkSession, count: int) -> None:
    # In here, since executors cannot import this module.
    def rows_of(shard: int) -> NDArray[np.float32]:
        """Of sizes so different that their sum depends on the order."""
        random = np.random.default_rng(shard)
        return random.normal(scale=10.0**shard, size=(7, 3)).astype(np.float32)

    expected = rows_of(0)
    for shard in range(1, count):
        expected = expected + rows_of(shard)

    found = sum_over_shards(cluster.sparkContext.parallelize(range(count), count), rows_of)

    assert found.dtype == np.float32
    assert np.array_equal(found, expected)
