"""Fixtures that give tests a real Redis, and the stores over it beside their twins."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from infra.local.stack import Stack
from recsys.core.behaviour import RecentEvent, StoredUser
from recsys.core.catalogue import CatalogueRow
from recsys.core.ports import (
    EarlyPopularity,
    LiveCatalogue,
    PublishedModels,
    PurchaseLog,
    Reports,
    RestorableBehaviour,
    ServingStore,
    UserLookup,
)
from recsys.stores.memory.early_popularity import MemoryEarlyPopularity
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from recsys.stores.memory.published import MemoryPublishedModels, MemoryServingStore
from recsys.stores.memory.purchases import MemoryPurchaseLog
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.memory.reports import MemoryReports
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis, connect, connect_async
from recsys.stores.redis.early_popularity import RedisEarlyPopularity
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from recsys.stores.redis.multiplexed import MultiplexedRedis
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.purchases import RedisPurchaseLog
from recsys.stores.redis.recent import RedisRecentBehaviour
from recsys.stores.redis.reports import RedisReports
from recsys.stores.redis.serving import RedisServingStore
from tests.builders import EVENT_TYPES

# Of Redis's sixteen databases, one for the stack itself and one for each kind of test.
STORES_DATABASE, NIGHTLY_DATABASE = 1, 2

Result = TypeVar("Result")
# Runs a coroutine of the test's own event loop.
Ask = Callable[[Coroutine[Any, Any, Result]], Result]


@dataclass(frozen=True)
class ServingSide:
    """Stores that batch and ingest write and the recommender reads.

    Attributes:
        lock: lets a run of this token hold the lock of a tenant.
    """

    published: PublishedModels
    recent: RestorableBehaviour
    live: LiveCatalogue
    popularity: EarlyPopularity
    purchases: PurchaseLog
    serving: ServingStore
    lock: Callable[[str, str], object]
    reports: Reports

    async def user(
        self, tenant: str, version: str, user_id: str
    ) -> tuple[StoredUser | None, list[RecentEvent]]:
        """One user alone."""
        [read] = await self.serving.users([UserLookup(tenant, version, user_id)])
        assert read.problem is None
        return read.stored, read.recent.events()

    async def catalogue(self, tenant: str) -> dict[str, CatalogueRow]:
        """The whole live catalogue, as the recommender reads it."""
        rows: dict[str, CatalogueRow] = {}
        async for some in self.serving.catalogue(tenant):
            rows |= some
        return rows


@pytest.fixture
def redis_url(store_stack: Stack) -> str:
    """An empty database of the test's own."""
    return empty_database(store_stack, STORES_DATABASE)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def ask() -> Iterator[Ask[Any]]:
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def serving_side(request: pytest.FixtureRequest) -> ServingSide:
    """The serving side, once in memory and once in a real Redis."""
    return request.getfixturevalue(f"{request.param}_side")  # type: ignore[no-any-return]


@pytest.fixture
def memory_side() -> ServingSide:
    published, recent, live, purchases = (
        MemoryPublishedModels(),
        MemoryRecentBehaviour(lambda _: EVENT_TYPES),
        MemoryLiveCatalogue(),
        MemoryPurchaseLog(),
    )
    return ServingSide(
        published,
        recent,
        live,
        MemoryEarlyPopularity(),
        purchases,
        MemoryServingStore(published, recent, live, purchases),
        published.lock_tokens.__setitem__,
        MemoryReports(),
    )


@pytest.fixture
def redis_side(redis_url: str, redis: Redis, ask: Ask[Any]) -> Iterator[ServingSide]:
    client = connect_async(redis_url, timeout_seconds=5)
    shared = ask(shared_connection(redis_url))
    yield ServingSide(
        RedisPublishedModels(redis),
        RedisRecentBehaviour(redis, lambda _: EVENT_TYPES),
        RedisLiveCatalogue(redis),
        RedisEarlyPopularity(redis),
        RedisPurchaseLog(redis),
        RedisServingStore(client, shared),
        lambda tenant, token: redis.set(keys.nightly_lock(tenant), token),
        RedisReports(redis),
    )
    ask(shared.aclose())
    ask(client.aclose())


async def shared_connection(url: str, timeout_seconds: float = 5.0) -> MultiplexedRedis:
    """One of the event loop this runs on."""
    return MultiplexedRedis(url, timeout_seconds)


def empty_database(stack: Stack, number: int) -> str:
    """The URL of a database with nothing in it."""
    url = stack.settings.redis_url.removesuffix("/0") + f"/{number}"
    with connect(url) as client:
        client.flushdb()
    return url
