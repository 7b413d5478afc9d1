"""Redis has lost everything: the model store and HBase bring it back."""

import time
from dataclasses import replace

import pytest

from recsys.core.domain import Item
from recsys.core.errors import NotFound
from recsys.core.event_types import EventType, EventTypes
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.recent import RedisRecentBehaviour
from recsys.training.settings import ModelSettings
from spark_jobs.nightly.run import rebuild
from tests.builders import EVENT_TYPES
from tests.integration.conftest import Seed
from tests.integration.nightly_shop import (
    ALS,
    Nightly,
    an_event,
    shop_events,
    shop_items,
)
from tests.serving_digest import serving_digest

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


@pytest.fixture(scope="module")
def seeded_shop(seed: Seed) -> str:
    """A shop of these tests' own, since they add to its history; `nightly` runs over it."""
    seed("rebuilt", shop_events(), shop_items())
    return "rebuilt"


@pytest.fixture
def redis(nightly: Nightly) -> Redis:
    return connect(nightly.redis_url)


def rebuilt(nightly: Nightly, version: str | None = None) -> None:
    rebuild(nightly.settings, nightly.plan.tenant, version, nightly.said.append)


def happens(
    nightly: Nightly,
    pool: HBasePool,
    redis: Redis,
    user_id: str,
    item_id: str,
    event_types: EventTypes = EVENT_TYPES,
    **details: float,
) -> None:
    """As the ingest service records it."""
    event = replace(an_event(user_id, item_id, days_ago=1e-6), **details)
    tenant, received_ms = nightly.plan.tenant, time.time_ns() // 1_000_000
    HBaseInteractionStore(pool).append(tenant, [event], received_ms)
    RedisRecentBehaviour(redis, lambda _: event_types).record(tenant, [event], received_ms)


def strengths_of(nightly: Nightly, user_id: str, *item_ids: str) -> list[float]:
    """Those of some items in the history of a user, as it is served."""
    model = nightly.models.model(nightly.plan.tenant, nightly.manifest().version)
    row = model.users.ids.index_of(user_id)
    assert row is not None
    history = model.users.history(row)
    found = dict(zip(history.items.tolist(), history.strengths.tolist(), strict=True))
    return [found[model.items.ids.index_of(item_id) or 0] for item_id in item_ids]


def test_a_rebuilt_redis_answers_as_before(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    nightly.run()
    tenant = nightly.plan.tenant
    happens(nightly, hbase_pool, redis, "viewer", "b1")
    happens(nightly, hbase_pool, redis, "somebody new", "a1")
    # Changes no answer, so it is in HBase only.
    seen = an_event("viewer", "b2", "impression", days_ago=1e-6)
    HBaseInteractionStore(hbase_pool).append(tenant, [seen], time.time_ns() // 1_000_000)
    sold_out = Item(nightly.recommended("a-fan1", limit=1)[0], available=False)
    HBaseItemStore(hbase_pool).put(tenant, [sold_out])
    RedisLiveCatalogue(redis).write(tenant, {sold_out.item_id: sold_out})
    before = serving_digest(redis, tenant)
    answers = [nightly.recommended(who) for who in ("viewer", "somebody new", "a-fan1")]
    redis.flushdb()

    rebuilt(nightly)

    assert serving_digest(redis, tenant) == before
    assert [nightly.recommended(who) for who in ("viewer", "somebody new", "a-fan1")] == answers
    assert "events since the training that are remembered again: 2" in nightly.said


def test_quantities_and_prices_that_count_come_back_too(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    purchase = EventType(
        1.0, excludes=True, quantity_exponent=0.5, price_exponent=0.5, typical_price=2.0
    )
    event_types = {**nightly.plan.shop.event_types, "purchase": purchase}
    shop = replace(nightly.plan.shop, event_types=event_types)
    nightly.run(shop=shop)
    happens(nightly, hbase_pool, redis, "viewer", "b4", event_types, quantity=100, price=200.0)
    happens(nightly, hbase_pool, redis, "viewer", "b5", event_types)
    before = serving_digest(redis, nightly.plan.tenant)
    answer = nightly.recommended("viewer")
    redis.flushdb()

    rebuilt(nightly)

    assert serving_digest(redis, nightly.plan.tenant) == before
    assert nightly.recommended("viewer") == answer

    nightly.run(shop=shop)

    # 100 ^ 0.5 pieces at (200 / 2) ^ 0.5 times the typical price; one piece at that price.
    assert strengths_of(nightly, "viewer", "b4", "b5") == pytest.approx([100.0, 1.0])


def test_the_digest_sees_what_is_missing(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    nightly.run()
    tenant = nightly.plan.tenant
    seen = {serving_digest(redis, tenant)}
    happens(nightly, hbase_pool, redis, "viewer", "b2")
    seen.add(serving_digest(redis, tenant))
    RedisLiveCatalogue(redis).write(tenant, {nightly.recommended("viewer", limit=1)[0]: None})
    seen.add(serving_digest(redis, tenant))
    redis.delete(next(redis.scan_iter("*:u:viewer")))
    seen.add(serving_digest(redis, tenant))
    assert len(seen) == 4


def test_rebuilding_what_is_not_lost_changes_nothing(
    nightly: Nightly, hbase_pool: HBasePool, redis: Redis
) -> None:
    nightly.run()
    happens(nightly, hbase_pool, redis, "viewer", "b3")
    before = serving_digest(redis, nightly.plan.tenant)

    rebuilt(nightly)

    assert serving_digest(redis, nightly.plan.tenant) == before


def test_the_version_that_served_comes_back_not_the_newest(nightly: Nightly, redis: Redis) -> None:
    nightly.run()
    first = nightly.serving()
    assert first is not None
    nightly.run(model=ModelSettings(ALS, neighbour_weight=0.5))
    second = nightly.serving()
    nightly.serve_stored(first)
    redis.flushdb()

    rebuilt(nightly)
    assert nightly.serving() == first

    rebuilt(nightly, second)
    assert nightly.serving() == second


def test_a_backup_of_redis_that_names_an_older_version_is_told(
    nightly: Nightly, redis: Redis
) -> None:
    nightly.run()
    first = nightly.serving()
    assert first is not None
    nightly.run(model=ModelSettings(ALS, neighbour_weight=0.5))
    second = nightly.serving()
    RedisPublishedModels(redis).reactivate(nightly.plan.tenant, first)
    nightly.said.clear()

    rebuilt(nightly)

    assert nightly.serving() == first
    [told] = [line for line in nightly.said if line.startswith(f"Redis names {first}, and not")]
    assert f"recsys rebuild {second} lets that one serve" in told


def test_without_any_model_there_is_nothing_to_rebuild(nightly: Nightly) -> None:
    with pytest.raises(NotFound, match="tenant rebuilt has no model yet"):
        rebuilt(nightly)
    # A name mistyped is said before Spark has been started for it.
    assert nightly.said == []
