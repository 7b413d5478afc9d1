"""The matrix cut into blocks of users by items, in a folder that every executor sees.

Executors cut it. Users are dealt out: shard s of S has the users s, s + S, s + 2S ..., and so with
items. That spreads the busy ones without counting anything, and what a shard solved is put in place
by `whole[s::S] = part`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from recsys.training.als.block import Block, block_of, map_array, save_array
from spark_jobs.distributed.pairs_source import PairsSource, count_pairs


@dataclass(frozen=True)
class Grid:
    """Grid of blocks of the interaction matrix, on files.

    Attributes:
        users, items: of the whole matrix.
        user_shards, item_shards: how often either side is cut; 1 leaves it whole.
    """

    folder: Path
    users: int
    items: int
    user_shards: int
    item_shards: int

    def shape(self, user_shard: int, item_shard: int) -> tuple[int, int]:
        """Users and items of a block."""
        return (
            len(range(user_shard, self.users, self.user_shards)),
            len(range(item_shard, self.items, self.item_shards)),
        )

    def blocks(self) -> Iterator[tuple[int, int]]:
        """The shards (user, item) of every block."""
        for user_shard in range(self.user_shards):
            for item_shard in range(self.item_shards):
                yield user_shard, item_shard

    def load(self, user_shard: int, item_shard: int) -> Block:
        folder = self._block(user_shard, item_shard)
        return Block.load(folder, self.shape(user_shard, item_shard))

    def save(self, user_shard: int, item_shard: int, block: Block) -> None:
        """Write a block, and the sums of its users' and items' strengths, in float64."""
        folder = self._block(user_shard, item_shard)
        block.save(folder)
        for side, matrix in (("user", block.by_user), ("item", block.by_item)):
            sums = np.asarray(matrix.sum(axis=1, dtype=np.float64)).ravel()
            save_array(folder / f"{side}-sums.npy", sums)

    def user_sums(self, user_shard: int) -> NDArray[np.float64]:
        """Sum the strengths of each user of a shard, over all items."""
        return self._sums("user", [(user_shard, item) for item in range(self.item_shards)])

    def item_sums(self, item_shard: int) -> NDArray[np.float64]:
        """Sum the strengths of each item of a shard, over all users."""
        return self._sums("item", [(user, item_shard) for user in range(self.user_shards)])

    def _sums(self, side: str, blocks: list[tuple[int, int]]) -> NDArray[np.float64]:
        first, *others = (self._block(*block) / f"{side}-sums.npy" for block in blocks)
        total = np.array(np.load(first))
        for path in others:
            total += map_array(path)
        return total

    def _block(self, user_shard: int, item_shard: int) -> Path:
        return self.folder / f"block-{user_shard:04}-{item_shard:04}"


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
