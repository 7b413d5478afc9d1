"""One shop fills neither Redis nor another shop's part of it."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from recsys.core.behaviour import RecentEvent
from recsys.core.domain import Event, Item
from recsys.core.errors import QuotaExceeded
from recsys.core.quotas import Quotas
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from recsys.stores.redis.recent import EXPIRE_SECONDS, RedisRecentBehaviour, decode_events
from services.ingest.catalogue import Catalogue
from tests.builders import EVENT_TYPES
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.redis
MEBIBYTE = 1024**2
# What a request may carry: 1000 events with ids as long as they may be.
LONG = "ü" * 200
NOW_MS = 1_700_000_000_000


@pytest.fixture
def redis(server: RedisServer) -> Iterator[Redis]:
    with connect(server.url) as client:
        client.config_set("appendonly", "no")
        client.config_set("maxmemory", 64 * MEBIBYTE)
        yield client


def a_recent(redis: Redis, users: int = 10**9, mebibytes: int = 8) -> RedisRecentBehaviour:
    quotas = Quotas(recent_users=users, recent_bytes=mebibytes * MEBIBYTE)
    return RedisRecentBehaviour(redis, lambda _: EVENT_TYPES, lambda _: quotas)


def of_new_users(request: int) -> list[Event]:
    return [
        Event(f"e{request}-{n}-{LONG}", f"u{request}-{n}", f"i{n}-{LONG}", "view", NOW_MS)
        for n in range(1000)
    ]


def recent_of(redis: Redis, tenant: str, user_id: str) -> list[RecentEvent]:
    members = redis.zrange(keys.recent(tenant, user_id), 0, -1, withscores=True)
    return decode_events(members)  # type: ignore[arg-type]


def test_endless_new_users_of_one_shop_take_nothing_from_another(redis: Redis) -> None:
    quiet = Event("e", "bob", "lamp", "view", NOW_MS)
    recent = a_recent(redis)
    recent.record("quiet", [quiet], NOW_MS)
    # Five times what Redis has.
    for request in range(300):
        recent.record("busy", of_new_users(request), NOW_MS + request)
    assert int(redis.get(keys.recent_bytes("busy")) or 0) <= 9 * MEBIBYTE
    assert int(redis.info("memory")["used_memory"]) < 40 * MEBIBYTE
    assert [event.item_id for event in recent_of(redis, "quiet", "bob")] == ["lamp"]
    recent.record("quiet", [quiet, Event("f", "eve", "lamp", "view", NOW_MS)], NOW_MS)
    assert recent_of(redis, "quiet", "eve")
    # Whoever came last is remembered.
    assert recent_of(redis, "busy", "u299-999")
    assert not recent_of(redis, "busy", "u0-0")


def test_a_shop_forgets_the_users_it_saw_longest_ago(redis: Redis) -> None:
    recent = a_recent(redis, users=3)
    for moment, user_id in enumerate(["ann", "bob", "cat", "ann", "dan"]):
        recent.record("shop", [Event(f"e{moment}", user_id, "lamp", "view", 1)], NOW_MS + moment)
    assert [bool(recent_of(redis, "shop", user)) for user in ("ann", "bob", "cat", "dan")] == [
        *(True, False, True, True)
    ]


def test_what_is_counted_is_what_the_lists_take(redis: Redis) -> None:
    recent = a_recent(redis)
    for request in range(3):
        recent.record("shop", of_new_users(request)[:50], NOW_MS)
        recent.record("shop", of_new_users(request)[:50], NOW_MS)
    recent.forget("shop", "u1-7")
    lists = list(redis.scan_iter(keys.recent("shop", "*")))
    assert len(lists) == redis.zcard(keys.recent_users("shop")) == 149
    assert int(redis.get(keys.recent_bytes("shop")) or 0) == sum(map(redis.memory_usage, lists))


def test_who_stays_away_is_forgotten_with_what_was_counted(redis: Redis) -> None:
    recent = a_recent(redis)
    recent.record("shop", of_new_users(0)[:10], NOW_MS)
    later_ms = NOW_MS + (EXPIRE_SECONDS + 1) * 1000
    recent.record("shop", [Event("e", "ann", "lamp", "view", NOW_MS)], later_ms)
    assert redis.zrange(keys.recent_users("shop"), 0, -1) == [b"ann"]
    assert redis.memory_usage(keys.recent("shop", "ann")) == int(
        redis.get(keys.recent_bytes("shop")) or 0
    )


def test_a_catalogue_grows_to_its_quota_and_no_further(redis: Redis) -> None:
    items, live = MemoryItemStore(), RedisLiveCatalogue(redis)
    catalogue = Catalogue(items, live, lambda _: Quotas(catalogue_bytes=4 * MEBIBYTE))
    attributes = {f"a{n}": "x" * 1000 for n in range(100)}
    catalogue.put("quiet", Item("lamp", title="Lamp"))
    taken = 0
    with suppress(QuotaExceeded):
        for taken in range(1000):  # how many were taken before it was refused
            catalogue.put("busy", Item(f"i{taken}", attributes=attributes))
    assert 30 < taken < 50
    assert items.get("busy", f"i{taken}") is None
    with pytest.raises(QuotaExceeded, match="may take 4 MiB"):
        catalogue.put("busy", Item("another", attributes=attributes))
    assert 3.8 * MEBIBYTE < live.size("busy") <= 4.1 * MEBIBYTE
    # What is sold out can always be hidden, and other shops notice nothing.
    catalogue.patch("busy", "i0", {"attributes": {}, "available": False})
    catalogue.put("busy", Item("i0"))
    catalogue.delete("busy", "i1")
    catalogue.put("quiet", Item("lamp", title="A lamp"))


def test_a_catalogue_of_an_earlier_release_is_counted_when_it_is_written(redis: Redis) -> None:
    live = RedisLiveCatalogue(redis)
    live.write("shop", {f"i{n}": Item(f"i{n}", title="x" * 1000) for n in range(100)})
    redis.delete(keys.catalogue_bytes("shop"))
    assert live.size("shop") == 0
    live.write("shop", {"lamp": Item("lamp")})
    assert 100_000 < live.size("shop") < 200_000


def test_impressions_count_as_what_a_user_takes(redis: Redis) -> None:
    recent = a_recent(redis, users=2)
    for moment, user_id in enumerate(["ann", "bob", "ann", "cat"]):
        events = [Event(f"e{moment}", user_id, "lamp", kind, 1) for kind in ("view", "impression")]
        recent.record("shop", events, NOW_MS + moment)

    lists = [*redis.scan_iter(keys.recent("shop", "*")), *redis.scan_iter(keys.shown("shop", "*"))]
    names = {name.decode().rpartition(":")[2] for name in lists}
    assert (len(lists), names) == (4, {"ann", "cat"})
    assert int(redis.get(keys.recent_bytes("shop")) or 0) == sum(map(redis.memory_usage, lists))
