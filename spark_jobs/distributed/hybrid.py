"""Hybrid training: several data-parallel trainings at the same time, on one cluster.

Each training submits its own jobs from a thread of its own; while one waits for its driver's part
of an iteration, the executors work for another. With `spark.scheduler.mode=FAIR` they share evenly
by pools; without, the earlier training goes first and the later ones fill the gaps.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession

from recsys.training.als import AlsSettings, Trained
from spark_jobs.distributed.data_parallel import train_on_shards
from spark_jobs.distributed.grid import split_pairs
from spark_jobs.distributed.pairs_source import PairsSource
from spark_jobs.distributed.strategy import Progress, no_progress


@dataclass(frozen=True)
class Hybrid:
    """See `TrainingStrategy`.

    Attributes:
        folder: for what is kept meanwhile; the driver and every executor see it.
        shards: of users; by default one for each core of the cluster.
        at_once: how many trainings share the cluster; each takes memory of its own.
    """

    folder: Path
    shards: int | None = None
    at_once: int = 2

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
        with TemporaryDirectory(dir=self.folder) as name, ThreadPoolExecutor(self.at_once) as pool:
            grid, count = split_pairs(spark, pairs, Path(name, "pairs"), shards)

            def fit(trial: int) -> Trained:
                # A property of this thread, and so of the jobs that it submits.
                context.setLocalProperty("spark.scheduler.pool", f"training-{trial}")
                folder, told = Path(name, f"{trial}"), partial(progress, trial)
                return train_on_shards(spark, grid, count, trials[trial], folder, told)

            return list(pool.map(fit, range(len(trials))))
