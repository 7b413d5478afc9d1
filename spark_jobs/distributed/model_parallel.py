"""Model-parallel training: users and items both in shards, for factors no executor can hold.

A half-step gives every shard of one side to a task, which takes the shards of the other side
through its memory one after the other, once for each of the 1 + CG_STEPS sums that conjugate
gradients need (`recsys.training.als.summed_half_step`). Between tasks the factors are in files; the
driver hands on nothing but k x k gramians.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from pyspark import SparkContext
from pyspark.sql import SparkSession

from recsys.core.fold_in import Factors
from recsys.training.als import AlsSettings, Trained
from recsys.training.als.block import map_array, save_array
from recsys.training.als.half_step import PROJECTIONS, gramian_of
from recsys.training.als.settings import first_item_factors
from spark_jobs.distributed.factor_shard import EntityKind, FactorShard
from spark_jobs.distributed.grid import split_pairs
from spark_jobs.distributed.pairs_source import PairsSource
from spark_jobs.distributed.sharded_training import (
    ShardedTraining,
    gather_shards,
    plan_training,
    trained,
)
from spark_jobs.distributed.strategy import Progress, no_progress

_Gramian = NDArray[np.float64]


@dataclass(frozen=True)
class ModelParallel:
    """See `TrainingStrategy`; trains one model after the other.

    Attributes:
        folder: for what is kept meanwhile; the driver and every executor see it.
        shards: of users, and of items; by default one for each core of the cluster.
    """

    folder: Path
    shards: int | None = None

    def train(
        self,
        spark: SparkSession,
        pairs: PairsSource,
        trials: Sequence[AlsSettings],
        progress: Progress = no_progress,
    ) -> list[Trained]:
        """See `TrainingStrategy`."""
        context = spark.sparkContext
        shards = self.shards or context.defaultParallelism
        models = []
        with TemporaryDirectory(dir=self.folder) as name:
            grid, count = split_pairs(spark, pairs, Path(name, "pairs"), shards, shards)
            for trial, settings in enumerate(trials):
                training = plan_training(context, grid, count, settings, Path(name, f"{trial}"))
                models.append(_train(context, training, partial(progress, trial)))
        return models


def _train(
    context: SparkContext, training: ShardedTraining, on_iteration: Callable[[int], None]
) -> Trained:
    started = time.perf_counter()
    iterations = training.settings.iterations
    items = _write_first_items(training)
    for turn in range(1, iterations + 1):
        users = _half_step(context, training, EntityKind.USER, turn, items)
        items = _half_step(context, training, EntityKind.ITEM, turn, users)
        on_iteration(turn)
    _half_step(context, training, EntityKind.USER, iterations + 1, items, PROJECTIONS)
    x = _collect(training, EntityKind.USER, iterations + 1)
    y = _collect(training, EntityKind.ITEM, iterations)
    shards = f"{training.grid.user_shards} x {training.grid.item_shards}"
    return trained(training, x, y, f"model-parallel over {shards} blocks", started)


def _half_step(
    context: SparkContext,
    training: ShardedTraining,
    side: EntityKind,
    turn: int,
    gramian: _Gramian,
    times: int = 1,
) -> _Gramian:
    """Improve all factors of a side; returns their gramian, summed in the order of the shards."""
    # Users come first in an iteration: what they see of items is from the iteration before.
    other_turn = turn - 1 if side is EntityKind.USER else turn

    def solve(shard: int) -> _Gramian:
        return FactorShard(training, side, shard).half_step(turn, other_turn, gramian, times)

    shards = _shards(training, side)
    gramians = context.parallelize([*range(shards)], shards).map(solve).collect()
    total: _Gramian = np.sum(gramians, axis=0)
    return total


def _write_first_items(training: ShardedTraining) -> _Gramian:
    factors = first_item_factors(training.grid.items, training.settings)
    shards = training.grid.item_shards
    for shard in range(shards):
        save_array(training.path(EntityKind.ITEM.value, shard, 0), factors[shard::shards])
    return gramian_of(factors)


def _collect(training: ShardedTraining, side: EntityKind, turn: int) -> Factors:
    rows = training.grid.users if side is EntityKind.USER else training.grid.items
    return gather_shards(
        rows,
        _shards(training, side),
        training.settings.factors,
        lambda shard: map_array(training.path(side.value, shard, turn)),
    )


def _shards(training: ShardedTraining, side: EntityKind) -> int:
    return training.grid.user_shards if side is EntityKind.USER else training.grid.item_shards
