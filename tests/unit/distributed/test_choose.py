import pytest

from recsys.core.errors import ConfigurationError
from spark_jobs.distributed.choose import Cluster, StrategyName, choose_strategy
from spark_jobs.distributed.memory import (
    Workload,
    data_parallel_bytes,
    driver_bytes,
    model_parallel_bytes,
    single_process_bytes,
)

GIB = 2**30
CLUSTER = Cluster(executors=8, executor_memory_bytes=4 * GIB, driver_memory_bytes=8 * GIB)
SMALL = Workload(users=100_000, items=50_000, pairs=5_000_000, factors=64)
MANY_USERS = Workload(users=20_000_000, items=100_000, pairs=400_000_000, factors=64)
MANY_ITEMS = Workload(users=10_000_000, items=10_000_000, pairs=200_000_000, factors=64)


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (SMALL, StrategyName.SINGLE),
        (MANY_USERS, StrategyName.DATA_PARALLEL),
        (MANY_ITEMS, StrategyName.MODEL_PARALLEL),
    ],
)
def test_one_training_is_spread_no_further_than_it_must(work: Workload, name: StrategyName) -> None:
    assert choose_strategy(work, CLUSTER).name is name


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (SMALL, StrategyName.COMPUTE_PARALLEL),
        (MANY_USERS, StrategyName.HYBRID),
        (MANY_ITEMS, StrategyName.MODEL_PARALLEL),
    ],
)
def test_many_trainings_share_an_executor_only_when_one_does_not_fit_it(
    work: Workload, name: StrategyName
) -> None:
    many = Workload(work.users, work.items, work.pairs, work.factors, trials=10)
    assert choose_strategy(many, CLUSTER).name is name


def test_the_reason_names_what_is_needed_and_what_there_is() -> None:
    reason = choose_strategy(SMALL, CLUSTER).reason
    assert f"{single_process_bytes(SMALL) / GIB:.2f} GiB" in reason
    assert "8.00 GiB" in reason


def test_what_fits_nowhere_is_refused_with_what_would_do() -> None:
    two = Cluster(executors=2, executor_memory_bytes=GIB, driver_memory_bytes=GIB)
    needed = model_parallel_bytes(MANY_ITEMS, 16) / GIB
    with pytest.raises(ConfigurationError, match=rf"{needed:.2f} GiB.*more executors"):
        choose_strategy(MANY_ITEMS, two)


def test_there_are_as_many_rounds_of_shards_as_memory_asks_for() -> None:
    roomy = Cluster(executors=8, executor_memory_bytes=64 * GIB, driver_memory_bytes=GIB)
    assert choose_strategy(MANY_USERS, roomy).shards == 8
    tight = choose_strategy(MANY_USERS, CLUSTER).shards
    assert tight > 8
    assert tight % 8 == 0
    assert data_parallel_bytes(MANY_USERS, tight) <= CLUSTER.executor_memory_bytes


def test_more_shards_need_less_memory_each() -> None:
    for needed in (data_parallel_bytes, model_parallel_bytes):
        assert needed(MANY_USERS, 16) < needed(MANY_USERS, 8) < needed(MANY_USERS, 1)


def test_in_data_parallel_items_are_not_shared_out_but_in_model_parallel_they_are() -> None:
    more_items = Workload(100_000, 5_000_000, 5_000_000, 64)
    assert data_parallel_bytes(more_items, 1000) > 4 * 64 * 5_000_000
    assert model_parallel_bytes(more_items, 1000) < 4 * 64 * 5_000_000


def test_the_driver_holds_the_model() -> None:
    assert driver_bytes(MANY_USERS) > 4 * 64 * (20_000_000 + 100_000)
