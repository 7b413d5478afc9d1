"""Training of tonight's model, by this process or by the executors."""

from collections.abc import Callable
from pathlib import Path

from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.training.als import AlsSettings, Device, Fit, Trained, train_als
from spark_jobs.distributed.choose import Choice, Cluster, StrategyName, choose_strategy
from spark_jobs.distributed.data_parallel import DataParallel
from spark_jobs.distributed.memory import Workload, available_bytes
from spark_jobs.distributed.model_parallel import ModelParallel
from spark_jobs.distributed.pairs_source import write_pairs
from spark_jobs.distributed.strategy import TrainingStrategy
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.plan import Strategy

_SPREAD: dict[StrategyName, Callable[[Path, int], TrainingStrategy]] = {
    StrategyName.DATA_PARALLEL: DataParallel,
    StrategyName.MODEL_PARALLEL: ModelParallel,
}


def chosen_fit(context: Context, say: Callable[[str], None]) -> Fit:
    """Training as the plan wants it, or as the size of the data has it.

    The returned function raises ConfigurationError when a GPU is demanded of executors.
    """

    def fit(
        strengths: csr_matrix, settings: AlsSettings, on_iteration: Callable[[int], None]
    ) -> Trained:
        choice = _choose(context, strengths, settings)
        if choice.name is StrategyName.SINGLE:
            return train_als(strengths, settings, on_iteration)
        if settings.device is Device.GPU:
            raise ConfigurationError("--device gpu trains in one process: --strategy single")
        say(f"{choice.name.value}: {choice.reason}")
        with context.folder.scratch() as folder:
            pairs = write_pairs(strengths, folder / "pairs.parquet")
            strategy = _SPREAD[choice.name](folder, choice.shards)
            (model,) = strategy.train(
                context.spark, pairs, [settings], lambda _, done: on_iteration(done)
            )
        return model

    return fit


def _choose(context: Context, strengths: csr_matrix, settings: AlsSettings) -> Choice:
    executors = context.spark.sparkContext.defaultParallelism
    if context.plan.strategy is not Strategy.AUTO:
        return Choice(StrategyName(context.plan.strategy.value), executors, "as asked for")
    users, items = strengths.shape
    return choose_strategy(
        Workload(users, items, strengths.nnz, settings.factors),
        Cluster(executors, context.plan.task_memory_bytes, available_bytes()),
    )
