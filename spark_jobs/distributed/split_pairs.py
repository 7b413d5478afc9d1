"""Cutting the pairs into the blocks of a grid, on the executors."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.training.als.block import Block, block_of
from spark_jobs.distributed.grid import Grid
from spark_jobs.distributed.pairs_source import PairsSource

_WRITTEN = "user_shard int, item_shard int, pairs long, wrong long"


def split_pairs(
    spark: SparkSession, pairs: PairsSource, folder: Path, user_shards: int, item_shards: int = 1
) -> tuple[Grid, int]:
    """Cut the pairs; also how many there are.

    Each block is written by one task, which holds it in memory.

    Raises:
        InvalidInput: when a strength is not a positive number, or there is none.
    """
    grid = Grid(folder, pairs.users, pairs.items, user_shards, item_shards)

    def write(table: pa.Table) -> pa.Table:
        key = table["user_shard"][0].as_py(), table["item_shard"][0].as_py()
        block = _block(grid, key, table)
        grid.save(*key, block)
        found = [*key, block.by_user.nnz, wrong_strengths(block)]
        names = ["user_shard", "item_shard", "pairs", "wrong"]
        types = [pa.int32(), pa.int32(), pa.int64(), pa.int64()]
        return pa.table({n: pa.array([v], t) for n, v, t in zip(names, found, types, strict=True)})

    sharded = spark.read.parquet(str(pairs.parquet)).select(
        (F.col("user_index") % user_shards).alias("user_shard"),
        (F.col("item_index") % item_shards).alias("item_shard"),
        F.expr(f"user_index div {user_shards}").cast("int").alias("user"),
        F.expr(f"item_index div {item_shards}").cast("int").alias("item"),
        F.col("strength").cast("float").alias("strength"),
    )
    written = sharded.groupBy("user_shard", "item_shard").applyInArrow(write, _WRITTEN).collect()
    _check(sum(row.pairs for row in written), sum(row.wrong for row in written))
    _write_empty_blocks(grid, {(row.user_shard, row.item_shard) for row in written})
    return grid, sum(row.pairs for row in written)


def wrong_strengths(block: Block) -> int:
    """How many entries are not a positive number."""
    data = block.by_user.data
    return int(np.count_nonzero(~(np.isfinite(data) & (data > 0))))


def _block(grid: Grid, key: tuple[int, int], table: pa.Table) -> Block:
    users, items, strengths = (table[name].to_numpy() for name in ("user", "item", "strength"))
    return block_of(users, items, strengths, grid.shape(*key))


def _write_empty_blocks(grid: Grid, written: set[tuple[int, int]]) -> None:
    none = np.empty(0, np.int32)
    for key in grid.keys():  # noqa: SIM118 - not a dict
        if key not in written:
            grid.save(*key, block_of(none, none, none.astype(np.float32), grid.shape(*key)))


def _check(pairs: int, wrong: int) -> None:
    if not pairs:
        raise InvalidInput([FieldProblem("strengths", "must not be empty")])
    if wrong:
        raise InvalidInput([FieldProblem("strengths", "must be finite and above zero")])
