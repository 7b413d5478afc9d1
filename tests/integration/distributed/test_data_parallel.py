from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from scipy.sparse import csr_matrix

from recsys.core.errors import InvalidInput
from recsys.training.als import AlsSettings, Trained
from spark_jobs.distributed.data_parallel import DataParallel
from spark_jobs.distributed.pairs_source import PairsSource, write_pairs
from spark_jobs.distributed.sum_over_shards import FEW_SHARDS
from tests.integration.distributed.same_model import SETTINGS, assert_same_model
from tests.integration.distributed.spark_cluster import an_executor_dies, executor_pids


def test_the_model_is_that_of_one_process(
    cluster: SparkSession, shop: csr_matrix, pairs: PairsSource, single: Trained, tmp_path: Path
) -> None:
    (found,) = DataParallel(tmp_path).train(cluster, pairs, [SETTINGS])
    assert len(executor_pids()) == 2
    assert_same_model(shop, found, single)
    assert not list(tmp_path.iterdir()), "what was kept meanwhile is still there"


def test_the_model_of_many_shards_is_that_of_one_process(
    cluster: SparkSession, shop: csr_matrix, pairs: PairsSource, single: Trained, tmp_path: Path
) -> None:
    (found,) = DataParallel(tmp_path, shards=2 * FEW_SHARDS).train(cluster, pairs, [SETTINGS])
    assert_same_model(shop, found, single)


def test_an_executor_killed_in_the_middle_changes_not_one_bit(
    cluster: SparkSession, pairs: PairsSource, tmp_path: Path
) -> None:
    settings = AlsSettings(factors=16, iterations=3)
    (whole,) = DataParallel(tmp_path).train(cluster, pairs, [settings])
    with an_executor_dies() as progress:
        (found,) = DataParallel(tmp_path).train(cluster, pairs, [settings], progress)
    assert np.array_equal(found.user_factors, whole.user_factors)
    assert np.array_equal(found.item_factors, whole.item_factors)


def test_more_shards_than_users_and_items_without_pairs_do_no_harm(
    cluster: SparkSession, tmp_path: Path
) -> None:
    board = csr_matrix(np.array([[1, 0, 2], [0, 0, 1]], np.float32))
    pairs = write_pairs(board, tmp_path / "pairs.parquet")
    settings = AlsSettings(factors=16, iterations=2)
    (found,) = DataParallel(tmp_path, shards=3).train(cluster, pairs, [settings])
    assert found.user_factors.shape == (2, 16)
    assert np.isfinite(found.user_factors).all()
    assert not found.item_factors[1].any()
    assert found.item_factors[2].any()


@pytest.mark.parametrize("strengths", [[], [1.0, 0.0], [1.0, float("nan")]])
def test_what_no_model_can_be_made_from_is_refused(
    cluster: SparkSession, tmp_path: Path, strengths: list[float]
) -> None:
    indices = pa.array(range(len(strengths)), pa.int32())
    columns = {"user_index": indices, "item_index": indices}
    table = pa.table(columns | {"strength": pa.array(strengths, pa.float32())})
    pq.write_table(table, tmp_path / "pairs.parquet")
    pairs = PairsSource(tmp_path / "pairs.parquet", users=4, items=4)
    with pytest.raises(InvalidInput, match="strengths"):
        DataParallel(tmp_path, shards=2).train(cluster, pairs, [SETTINGS])
