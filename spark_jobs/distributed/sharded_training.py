"""A training over shards: its plan and its result."""

import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyspark import SparkContext

from recsys.core.fold_in import Factors, row_regularization
from recsys.training.als import AlsSettings, Device, Trained
from recsys.training.als.settings import alpha_for
from spark_jobs.distributed.grid import Grid


@dataclass(frozen=True)
class ShardedTraining:
    """One training on the blocks of a grid; tasks receive it as it is.

    Attributes:
        folder: where shards keep their factors from one task to the next; every executor sees it.
        threads: of a task.
    """

    grid: Grid
    folder: Path
    settings: AlsSettings
    alpha: float
    threads: int

    def user_lambdas(self, sums: NDArray[np.float64]) -> NDArray[np.float32]:
        """Lambdas of users with these sums of strengths."""
        return self._lambdas(sums, self.grid.items)

    def item_lambdas(self, sums: NDArray[np.float64]) -> NDArray[np.float32]:
        """Lambdas of items with these sums of strengths."""
        return self._lambdas(sums, self.grid.users)

    def path(self, what: str, shard: int, turn: int) -> Path:
        """Path of a shard's array, such as the factors of its users, after so many half-steps."""
        return self.folder / f"{what}-{shard:04}-{turn}.npy"

    def _lambdas(self, sums: NDArray[np.float64], columns: int) -> NDArray[np.float32]:
        return row_regularization(
            sums,
            columns,
            alpha=self.alpha,
            regularization=self.settings.regularization,
            frequency_weight=self.settings.frequency_weight,
        )


def plan_training(
    context: SparkContext, grid: Grid, pairs: int, settings: AlsSettings, folder: Path
) -> ShardedTraining:
    """Settle what depends on all of the data."""
    strength_sum = sum(float(grid.item_sums(i).sum()) for i in range(grid.item_shards))
    alpha = alpha_for(settings, (grid.users, grid.items), pairs, strength_sum)
    folder.mkdir(parents=True)
    return ShardedTraining(grid, folder, settings, alpha, task_threads(context))


def task_threads(context: SparkContext) -> int:
    """Count the cores that Spark gives to a task."""
    return int(context.getConf().get("spark.task.cpus", "1") or 1)


def gather_shards(
    rows: int, shards: int, factors: int, part: Callable[[int], NDArray[np.float32]]
) -> Factors:
    """(rows, k) of the parts that the shards have."""
    whole = np.empty((rows, factors), np.float32)
    for shard in range(shards):
        whole[shard::shards] = part(shard)
    return whole


def trained(
    training: ShardedTraining, users: Factors, items: Factors, strategy: str, started: float
) -> Trained:
    """The factors, and who made them since `started` (of `time.perf_counter`)."""
    return Trained(
        user_factors=users,
        item_factors=items,
        alpha=training.alpha,
        backend=f"numba, {strategy}",
        device=Device.CPU,
        versions={p: importlib.metadata.version(p) for p in ("numba", "numpy", "pyspark")},
        seconds=time.perf_counter() - started,
    )
