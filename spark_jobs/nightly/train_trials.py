"""Trials of a search for settings, trained by this process or by the executors."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scipy.sparse import csr_matrix

from recsys.core.wording import pluralize
from recsys.training.als import AlsSettings, Trained
from recsys.tuning.search import TrainMany, one_by_one
from spark_jobs.distributed.choose import Cluster, StrategyName, choose_strategy
from spark_jobs.distributed.compute_parallel import ComputeParallel
from spark_jobs.distributed.hybrid import Hybrid
from spark_jobs.distributed.memory import Workload, available_bytes
from spark_jobs.distributed.pairs_source import write_pairs
from spark_jobs.distributed.strategy import TrainingStrategy
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.plan import FitStrategy

_SPREAD: dict[StrategyName, Callable[[Path], TrainingStrategy]] = {
    StrategyName.COMPUTE_PARALLEL: ComputeParallel,
    StrategyName.HYBRID: Hybrid,
}


def chosen_trials(context: Context) -> TrainMany:
    """Trainings of many settings as the plan wants them, or as cluster and data have it.

    Where Spark is this machine, its tasks would only share the processors that one training uses
    anyway.
    """

    def train(strengths: csr_matrix, settings: Sequence[AlsSettings]) -> Iterator[Trained]:
        name = _choose(context, strengths, settings)
        if name not in _SPREAD or not settings:
            yield from one_by_one(strengths, settings)
            return
        context.say(f"{pluralize(len(settings), 'trial')} {name.value}")
        with context.folder.scratch() as folder:
            pairs = write_pairs(strengths, folder / "pairs.parquet")
            yield from _SPREAD[name](folder).train(context.spark, pairs, settings)

    return train


def _choose(
    context: Context, strengths: csr_matrix, settings: Sequence[AlsSettings]
) -> StrategyName:
    asked = context.plan.fit_strategy
    if asked is not FitStrategy.AUTO:
        return StrategyName(asked.value)
    spark = context.spark.sparkContext
    is_this_machine = str(spark.master) == "local" or str(spark.master).startswith("local[")
    if is_this_machine or len(settings) < 2:
        return StrategyName.SINGLE
    users, items = strengths.shape
    largest = max(each.factors for each in settings)
    choice = choose_strategy(
        Workload(users, items, strengths.nnz, largest, trials=len(settings)),
        Cluster(spark.defaultParallelism, context.plan.task_memory_bytes, available_bytes()),
    )
    return choice.name
