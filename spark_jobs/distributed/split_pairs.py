"""Cutting the pairs into the blocks of a grid, on the executors."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from recsys.training.als.block import block_of
from spark_jobs.distributed.grid import Grid
from spark_jobs.distributed.pairs_source import PairsSource, count_pairs


def split_pairs(
    spark: SparkSession, pairs: PairsSource, folder: Path, user_shards: int, item_shards: int = 1
) -> tuple[Grid, int]:
    """Cut the pairs; also how many there are.

    Each block is written by one task, which holds it in memory.

    Raises:
        InvalidInput: when a strength is not a positive number, or there is none.
    """
    count = count_pairs(spark, pairs)
    grid = Grid(folder, pairs.users, pairs.items, user_shards, item_shards)

    def write(table: pa.Table) -> pa.Table:
        key = table["user_shard"][0].as_py(), table["item_shard"][0].as_py()
        _write(grid, key, table)
        return table.select(["user_shard", "item_shard"]).slice(0, 1)

    sharded = spark.read.parquet(str(pairs.parquet)).select(
        (F.col("user_index") % user_shards).alias("user_shard"),
        (F.col("item_index") % item_shards).alias("item_shard"),
        F.expr(f"user_index div {user_shards}").cast("int").alias("user"),
        F.expr(f"item_index div {item_shards}").cast("int").alias("item"),
        F.col("strength").cast("float").alias("strength"),
    )
    blocks = sharded.groupBy("user_shard", "item_shard")
    written = blocks.applyInArrow(write, "user_shard int, item_shard int").collect()
    _write_empty_blocks(grid, {(row.user_shard, row.item_shard) for row in written})
    return grid, count


def _write(grid: Grid, key: tuple[int, int], table: pa.Table) -> None:
    users, items, strengths = (table[name].to_numpy() for name in ("user", "item", "strength"))
    grid.save(*key, block_of(users, items, strengths, grid.shape(*key)))


def _write_empty_blocks(grid: Grid, written: set[tuple[int, int]]) -> None:
    none = np.empty(0, np.int32)
    for key in grid.blocks():
        if key not in written:
            grid.save(*key, block_of(none, none, none.astype(np.float32), grid.shape(*key)))
