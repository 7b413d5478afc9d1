"""The room for a model version is estimated by what one takes."""

from collections.abc import Iterator

import pytest

from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.room import eviction, room_beside
from tests.builders import a_user_batch
from tests.contract.test_published_models import a_user
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.redis
USERS = 3000


@pytest.fixture
def redis(server: RedisServer) -> Iterator[Redis]:
    with connect(server.url) as client:
        yield client


def publish(client: Redis, version: str) -> None:
    published = RedisPublishedModels(client)
    batch = a_user_batch({f"u{row}": a_user(*range(row % 100)) for row in range(USERS)})
    published.write_users("shop", version, batch)
    published.write_items("shop", version, b"{}", bytes(3_000_000))


def test_what_another_version_takes_is_foretold(redis: Redis) -> None:
    publish(redis, "v1")
    before = redis.info("memory")["used_memory"]
    redis.config_set("maxmemory", before + 5_000_000)
    room = room_beside(redis, "shop", "v1", USERS)
    assert room is not None
    assert room.free_bytes == pytest.approx(5_000_000, rel=0.1)

    redis.config_set("maxmemory", 0)
    publish(redis, "v2")

    assert room.version_bytes == pytest.approx(
        redis.info("memory")["used_memory"] - before, rel=0.2
    )


def test_without_a_limit_or_a_version_to_go_by_nothing_is_foretold(redis: Redis) -> None:
    publish(redis, "v1")
    assert room_beside(redis, "shop", "v1", USERS) is None
    redis.config_set("maxmemory", 50_000_000)
    assert room_beside(redis, "shop", "gone", USERS) is None


def test_a_redis_that_does_not_tell_stops_no_run(redis: Redis) -> None:
    publish(redis, "v1")
    redis.config_set("maxmemory", 50_000_000)
    redis.acl_setuser("default", enabled=True, commands=["-memory"])
    assert room_beside(redis, "shop", "v1", USERS) is None


def test_a_redis_that_removes_keys_when_it_is_full_tells_how_many(redis: Redis) -> None:
    redis.config_set("maxmemory-policy", "allkeys-lru")
    assert eviction(redis) is None  # without a limit it is never full
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 300_000)
    before = eviction(redis)
    assert before is not None
    assert (before.policy, before.evicted_keys, before.takes_any_key) == ("allkeys-lru", 0, True)

    for number in range(100):
        redis.set(f"of another program {number}", bytes(10_000))

    after = eviction(redis)
    assert after is not None
    assert after.evicted_keys > 0


def test_a_redis_that_refuses_when_it_is_full_evicts_nothing(redis: Redis) -> None:
    redis.config_set("maxmemory", 50_000_000)
    assert eviction(redis) is None


def test_keys_that_never_expire_stay_by_a_policy_of_those_that_do(redis: Redis) -> None:
    redis.config_set("maxmemory", 50_000_000)
    redis.config_set("maxmemory-policy", "volatile-ttl")
    found = eviction(redis)
    assert found is not None
    assert not found.takes_any_key


def test_whether_a_redis_evicts_is_not_known_where_it_does_not_tell(redis: Redis) -> None:
    redis.acl_setuser("default", enabled=True, commands=["-info"])
    assert eviction(redis) is None
