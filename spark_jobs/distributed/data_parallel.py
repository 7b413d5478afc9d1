"""Data-parallel training: users in shards, item factors with everybody.

An iteration of one training:

1. The driver sends the item factors to the executors; each shard solves its users, who stay where
   they are, and sums what is missing for the items to fit them.
2. The items are improved by conjugate gradients whose products are sums over the shards. For each
   product the driver sends one array, items x k, and receives the sum of one from each shard.

So what moves does not depend on the number of users; MLlib sends the users' factors.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession

from recsys.training.als import AlsSettings, Trained
from recsys.training.als.settings import first_item_factors
from recsys.training.als.summed_half_step import summed_half_step
from spark_jobs.distributed.grid import Grid, split_pairs
from spark_jobs.distributed.pairs_source import PairsSource
from spark_jobs.distributed.sharded_training import gather_shards, plan_training, trained
from spark_jobs.distributed.solved_users import last_users, solved_users
from spark_jobs.distributed.strategy import Progress, no_progress
from spark_jobs.distributed.user_shards import UserShards


@dataclass(frozen=True)
class DataParallel:
    """See `TrainingStrategy`; trains one model after the other.

    Attributes:
        folder: for what is kept meanwhile; the driver and every executor see it.
        shards: of users; by default one for each core of the cluster. Sums are rounded as their
            number has it, so the same model to the last bit takes the same number.
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
        shards = self.shards or spark.sparkContext.defaultParallelism
        with TemporaryDirectory(dir=self.folder) as name:
            grid, count = split_pairs(spark, pairs, Path(name, "pairs"), shards)
            return [
                train_on_shards(
                    spark, grid, count, settings, Path(name, f"{trial}"), partial(progress, trial)
                )
                for trial, settings in enumerate(trials)
            ]


def train_on_shards(
    spark: SparkSession,
    grid: Grid,
    pairs: int,
    settings: AlsSettings,
    folder: Path,
    on_iteration: Callable[[int], None],
) -> Trained:
    """Train one model on the blocks of a grid that leaves the items whole."""
    started = time.perf_counter()
    context = spark.sparkContext
    training = plan_training(context, grid, pairs, settings, folder)
    users = UserShards(training)
    sums = grid.item_sums(0)
    lambdas, observed = training.item_lambdas(sums), sums > 0
    # Keeping a number brings later tasks of a shard to the executor whose cache has its files.
    shards = context.parallelize([*range(grid.user_shards)], grid.user_shards).persist()
    y = first_item_factors(grid.items, settings)
    for iteration in range(settings.iterations):
        found = solved_users(shards, users, iteration, y)
        y = summed_half_step(
            *(found.residual, found.product, found.gramian, lambdas, observed, found.items),
            threads=1,
        )
        on_iteration(iteration + 1)
    y = last_users(shards, users, settings.iterations, y)
    shards.unpersist()
    last = partial(users.factors, iteration=settings.iterations)
    x = gather_shards(grid.users, grid.user_shards, settings.factors, last)
    return trained(training, x, y, f"data-parallel over {grid.user_shards} shards", started)
