"""Redis fails while users are written: the error is ours, and nothing half written is trusted."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from recsys.core.errors import InvalidModel, Unavailable
from recsys.core.user_batch import UserBatch
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.published import KEYS_PER_COMMAND, RedisPublishedModels
from spark_jobs.nightly import run
from spark_jobs.nightly.publish_recommendations import publish_users
from spark_jobs.task_errors import errors_of_tasks
from tests.builders import a_history, a_manifest, a_user_batch, a_user_model, an_item_model
from tests.contract.test_published_models import a_user
from tests.eventually import eventually
from tests.integration.nightly_shop import a_nightly
from tests.integration.redis_server import RedisServer, StallingProxy
from tests.integration.tls_proxy import TlsProxy

pytestmark = pytest.mark.redis
USERS = 10 * KEYS_PER_COMMAND
BLOCK = a_user_batch({f"u{row}": a_user(*range(100)) for row in range(USERS)})
HALF_WAY = f"u:u{USERS // 2}\r\n".encode()


@pytest.fixture
def redis(server: RedisServer) -> Iterator[Redis]:
    with connect(server.url) as client:
        yield client


def count(client: Redis, block: UserBatch = BLOCK) -> int:
    return RedisPublishedModels(client).count_users("shop", "v1", block.user_ids)


def test_a_redis_killed_in_the_middle_of_a_block_is_unavailable_and_a_repeat_makes_it_whole(
    server: RedisServer, redis: Redis
) -> None:
    errors: list[Unavailable] = []

    def write(url: str) -> None:
        with connect(url) as client:
            try:
                RedisPublishedModels(client).write_users("shop", "v1", BLOCK)
            except Unavailable as error:
                errors.append(error)

    with StallingProxy(server.url, before=HALF_WAY) as proxy:
        writing = threading.Thread(target=write, args=(proxy.url,))
        writing.start()
        assert proxy.stalled.wait(timeout=10)
        eventually(lambda: count(redis) > 0)
        server.kill()
    writing.join(timeout=10)

    assert [str(error).startswith("redis is unavailable: ") for error in errors] == [True]
    server.start()
    assert 0 < count(redis) < USERS
    RedisPublishedModels(redis).write_users("shop", "v1", BLOCK)
    assert count(redis) == USERS


def test_a_redis_that_hangs_in_the_middle_of_a_block_costs_no_more_than_the_timeout(
    server: RedisServer,
) -> None:
    with (
        StallingProxy(server.url, before=HALF_WAY) as proxy,
        connect(proxy.url, timeout_seconds=0.5) as client,
        pytest.raises(Unavailable, match="Timeout"),
    ):
        RedisPublishedModels(client).write_users("shop", "v1", BLOCK)


def test_a_redis_that_is_full_says_so_and_the_next_answer_is_not_mistaken(redis: Redis) -> None:
    published = RedisPublishedModels(redis)
    published.activate("shop", "v0")
    redis.config_set("maxmemory-policy", "noeviction")
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 2_000_000)

    with pytest.raises(Unavailable, match=r"it is full .* raise its maxmemory"):
        published.write_users("shop", "v1", BLOCK)

    assert published.current("shop") == "v0"
    assert count(redis) < USERS


def test_a_redis_that_only_reads_says_so(server: RedisServer, redis: Redis) -> None:
    redis.replicaof("127.0.0.1", "1")

    with pytest.raises(Unavailable, match="read only replica"):
        RedisPublishedModels(redis).write_users("shop", "v1", BLOCK)


def test_a_redis_that_lost_records_is_noticed_by_counting(redis: Redis) -> None:
    RedisPublishedModels(redis).write_users("shop", "v1", BLOCK)
    redis.delete("recsys:shop:v:v1:u:u7")

    assert count(redis) == USERS - 1


@pytest.fixture
def behind_tls(server: RedisServer, redis: Redis, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """The address of a Redis that asks for TLS and the password `right`, with a password."""
    redis.config_set("requirepass", "right")
    with TlsProxy(server.port, tmp_path) as proxy:
        address = f"127.0.0.1:{proxy.port}/0?ssl_ca_certs={proxy.ca}"
        yield lambda password: f"rediss://:{password}@{address}"


def test_users_are_written_through_tls_with_a_password(behind_tls: Callable[[str], str]) -> None:
    with connect(behind_tls("right")) as client:
        RedisPublishedModels(client).write_users("shop", "v1", BLOCK)

        assert count(client) == USERS


def test_a_wrong_password_is_named_as_the_cause_and_not_shown(
    behind_tls: Callable[[str], str],
) -> None:
    with (
        connect(behind_tls("guessed")) as client,
        pytest.raises(Unavailable, match="password in REDIS_URL is missing or wrong") as caught,
    ):
        RedisPublishedModels(client).write_users("shop", "v1", BLOCK)

    assert "guessed" not in str(caught.value)


@pytest.fixture
def spark(one_spark: None, server: RedisServer, tmp_path: Path) -> Iterator[SparkSession]:
    settings = a_nightly("", server.url, tmp_path / "models", "shop").settings
    with run.spark_session(settings, "test") as session:
        yield session


@pytest.mark.hbase
def test_tasks_whose_records_redis_refuses_fail_with_its_reason(
    spark: SparkSession, server: RedisServer, redis: Redis, tmp_path: Path
) -> None:
    manifest = ModelFiles(tmp_path).save(
        a_manifest(), an_item_model(), a_user_model([a_history([1]), a_history([2])])
    )
    redis.acl_setuser("default", enabled=True, commands=["-mset"])

    with pytest.raises(Unavailable, match=r"redis is unavailable: .* permissions .*mset"):
        publish_users(spark, tmp_path, server.url, manifest)


@pytest.mark.hbase
def test_records_that_redis_evicts_are_missed_before_the_version_can_serve(
    spark: SparkSession, server: RedisServer, redis: Redis, tmp_path: Path
) -> None:
    users = a_user_model([a_history([1])] * USERS)
    manifest = a_manifest()
    data = manifest.data.model_copy(update={"users": USERS})
    manifest = ModelFiles(tmp_path).save(
        manifest.model_copy(update={"data": data}), an_item_model(), users
    )
    redis.config_set("maxmemory-policy", "allkeys-random")
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 300_000)

    with pytest.raises(InvalidModel, match=f"Redis holds .* of {USERS} user records"):
        publish_users(spark, tmp_path, server.url, manifest)


@pytest.mark.hbase
def test_a_task_that_fails_for_another_reason_keeps_its_own_error(spark: SparkSession) -> None:
    with pytest.raises(PythonException, match="ZeroDivisionError"), errors_of_tasks():
        spark.sparkContext.parallelize([0]).map(lambda zero: 1 / zero).sum()
