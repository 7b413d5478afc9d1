"""A user was forgotten: no older model that begins to serve brings what is known of them back."""

import time
from collections.abc import Iterator

import pytest

from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.users import HBaseUserStore
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.recent import RedisRecentBehaviour
from recsys.training.settings import ModelSettings
from services.ingest.erase_user import UserEraser
from services.ingest.users import Users
from spark_jobs.nightly import run
from spark_jobs.nightly.plan import Step
from spark_jobs.nightly.run import rebuild
from tests.builders import EVENT_TYPES
from tests.integration.conftest import Seed
from tests.integration.nightly_shop import ALS, Nightly, an_event, shop_events, shop_items

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
FORGOTTEN = "a-fan1"
OTHERS = ["a-fan2", "viewer"]


@pytest.fixture
def seeded_shop(seed: Seed) -> str:
    """A shop of these tests' own, whole again before each of them."""
    seed("forgetful", shop_events(), shop_items())
    return "forgetful"


@pytest.fixture
def redis(nightly: Nightly) -> Iterator[Redis]:
    nightly.first = None
    with connect(nightly.redis_url) as client:
        yield client


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def forget(nightly: Nightly, pool: HBasePool, redis: Redis) -> None:
    """As `DELETE /v1/users/{user_id}` does."""
    recent = RedisRecentBehaviour(redis, lambda _: EVENT_TYPES)
    users = Users(HBaseUserStore(pool), now_ms)
    interactions = HBaseInteractionStore(pool)
    eraser = UserEraser(interactions, recent, nightly.published, users, now_ms)
    assert eraser.erase(nightly.plan.tenant, FORGOTTEN).removed_events > 0


def records(nightly: Nightly) -> list[bool]:
    """Of the forgotten one, then of others: whether there is one in the version that serves."""
    tenant, version = nightly.plan.tenant, nightly.serving() or ""
    users = [FORGOTTEN, *OTHERS]
    return [nightly.published.count_users(tenant, version, [user]) == 1 for user in users]


def test_redis_that_is_rebuilt_knows_nothing_of_them(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    nightly.run()
    forget(nightly, hbase_pool, redis)
    redis.flushdb()

    rebuild(nightly.settings, nightly.plan.tenant, None, nightly.said.append)

    assert records(nightly) == [False, True, True]
    assert any("1 user forgotten since" in line for line in nightly.said)


def test_nor_does_a_redis_that_came_back_from_a_backup(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    nightly.run()
    tenant = nightly.plan.tenant
    recent = RedisRecentBehaviour(redis, lambda _: EVENT_TYPES)
    event = an_event(FORGOTTEN, "b3", days_ago=1e-6)
    HBaseInteractionStore(hbase_pool).append(tenant, [event], now_ms())
    recent.record(tenant, [event], now_ms())
    backup = {key: redis.dump(key) for key in redis.scan_iter()}
    forget(nightly, hbase_pool, redis)
    redis.flushdb()
    for key, value in backup.items():
        redis.restore(key, 0, value)

    rebuild(nightly.settings, tenant, None, nightly.said.append)

    assert records(nightly) == [False, True, True]
    assert not list(redis.scan_iter(f"*:{FORGOTTEN}"))


def test_a_night_under_way_leaves_them_out(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    nightly.run(steps=[Step.READ, Step.TRAIN, Step.EVALUATE])
    forget(nightly, hbase_pool, redis)

    nightly.run(steps=[Step.PUBLISH])

    assert records(nightly) == [False, True, True]


def test_who_came_back_is_known_by_the_new_events_alone(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    nightly.run(steps=[Step.READ, Step.TRAIN, Step.EVALUATE])
    forget(nightly, hbase_pool, redis)
    event = an_event(FORGOTTEN, "b3", days_ago=1e-6)
    HBaseInteractionStore(hbase_pool).append(nightly.plan.tenant, [event], now_ms())

    nightly.run(steps=[Step.PUBLISH])

    assert records(nightly) == [False, True, True]


@pytest.mark.parametrize("quickly", [run.QUICKLY_ERASED, 0])
def test_the_way_back_to_the_version_before_leaves_them_out(
    nightly: Nightly,
    hbase_pool: HBasePool,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    quickly: int,
) -> None:
    """Before it serves, or at once after that where there are too many to look at."""
    monkeypatch.setattr(run, "QUICKLY_ERASED", quickly)
    nightly.run()
    first = nightly.serving() or ""
    nightly.run(model=ModelSettings(ALS, neighbour_weight=0.5))
    forget(nightly, hbase_pool, redis)

    nightly.serve_stored(first)

    assert nightly.serving() == first
    assert records(nightly) == [False, True, True]
    serves = nightly.said.index(f"{first} serves now")
    left_out = [at for at, line in enumerate(nightly.said) if f"forgotten since {first}" in line]
    assert (left_out[-1] > serves) is (quickly == 0)


def test_the_way_back_does_not_wait_for_an_hbase_that_is_away(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    nightly.run()
    first = nightly.serving() or ""
    nightly.run(model=ModelSettings(ALS, neighbour_weight=0.5))
    nightly.settings = nightly.settings.model_copy(update={"hbase_thrift": "127.0.0.1:1"})

    nightly.serve_stored(first)

    assert nightly.serving() == first
    assert any("are in it until the next `recsys nightly`" in line for line in nightly.said)
