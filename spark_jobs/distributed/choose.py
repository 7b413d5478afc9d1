"""The static plan: which strategy suits a size of data and a cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from recsys.core.errors import ConfigurationError
from spark_jobs.distributed.memory import (
    Workload,
    data_parallel_bytes,
    model_parallel_bytes,
    single_process_bytes,
)

# More shards than executors need less memory, but move more and start more tasks.
_MAX_ROUNDS = 8
_GIB = 2**30


class StrategyName(Enum):
    """The ways to train."""

    SINGLE = "single"
    DATA_PARALLEL = "data-parallel"
    MODEL_PARALLEL = "model-parallel"
    COMPUTE_PARALLEL = "compute-parallel"
    HYBRID = "hybrid"


@dataclass(frozen=True)
class Cluster:
    """Size of a training.

    Attributes:
        executors: each running one task at a time, on as many cores as a task has.
        executor_memory_bytes: for the Python process of an executor, beside its JVM's heap.
        driver_memory_bytes: for the Python process of the driver.
    """

    executors: int
    executor_memory_bytes: int
    driver_memory_bytes: int


@dataclass(frozen=True)
class Choice:
    """A strategy and, for the operator, why it.

    Attributes:
        shards: how often to cut a side; 1 where nothing is cut.
    """

    name: StrategyName
    shards: int
    reason: str


def choose_strategy(work: Workload, cluster: Cluster) -> Choice:
    """The strategy that has to move least, of those that fit.

    Raises:
        ConfigurationError: when none fits, saying how much memory would do.
    """
    alone = single_process_bytes(work)
    if work.trials == 1:
        where, have, name = "driver", cluster.driver_memory_bytes, StrategyName.SINGLE
    else:
        where, have = "executor", cluster.executor_memory_bytes
        name = StrategyName.COMPUTE_PARALLEL
    if alone <= have:
        reason = f"a training needs {_gib(alone)}, the {where} has {_gib(have)}; nothing must move"
        return Choice(name, 1, reason)
    too_much = f"a training needs {_gib(alone)}, more than the {_gib(have)} of the {where}"
    return _sharded(work, cluster, too_much)


def _sharded(work: Workload, cluster: Cluster, why: str) -> Choice:
    by_users = StrategyName.DATA_PARALLEL if work.trials == 1 else StrategyName.HYBRID
    for name, needed in (
        (by_users, data_parallel_bytes),
        (StrategyName.MODEL_PARALLEL, model_parallel_bytes),
    ):
        shards = _fewest_shards(work, cluster, needed)
        if shards:
            return Choice(
                name, shards, f"{why}; one of {shards} shards {_gib(needed(work, shards))}"
            )
    least = model_parallel_bytes(work, _MAX_ROUNDS * cluster.executors)
    raise ConfigurationError(
        f"executors have {_gib(cluster.executor_memory_bytes)} each, but a training over "
        f"{cluster.executors} of them needs {_gib(least)} of each: take more executors, or larger "
        "ones"
    )


def _fewest_shards(
    work: Workload, cluster: Cluster, needed: Callable[[Workload, int], int]
) -> int | None:
    """Shards for every executor at a time, and more rounds of them until one fits."""
    for rounds in range(1, _MAX_ROUNDS + 1):
        shards = rounds * cluster.executors
        if needed(work, shards) <= cluster.executor_memory_bytes:
            return shards
    return None


def _gib(size: int) -> str:
    return f"{size / _GIB:.2f} GiB"
