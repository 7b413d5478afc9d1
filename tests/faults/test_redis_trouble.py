"""Redis dies, forgets everything, or is far away: shoppers get answers, and soon the right ones."""

import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.stack import Stack
from recsys.stores.redis.connect import connect
from tests.e2e.load import load
from tests.e2e.load_driver import Request
from tests.e2e.shop import KNOWN_CUSTOMER, TENANT, Shop, item, posted, purchase, recommendations
from tests.faults.conftest import PER_SECOND
from tests.faults.own_services import OwnServices
from tests.faults.processes import keep_killing
from tests.faults.table import LoadResult, Table, is_bad, is_degraded
from tests.integration.slow_proxy import SlowProxy
from tests.serving_digest import serving_digest
from tests.stack_fixture import Recsys, await_health

_BEFORE_SECONDS = 4.0
_DOWN_SECONDS = 6.0
_MAX_ADDED_MS = 60
# Recommenders look every quarter of a second.
_NOTICED_SECONDS = 2.0
_FAR_SECONDS = 0.5
_MAX_FAR_MS = 150


def test_without_redis_answers_are_less_personal_and_hardly_slower(
    shop: Shop, healed_stack: Stack, asking: Sequence[Request], table: Table
) -> None:
    with load(shop, asking, PER_SECOND) as asked:
        asked.await_more(int(_BEFORE_SECONDS * PER_SECOND))
        down_at = time.monotonic()
        keep_killing(healed_stack, ["redis"], _DOWN_SECONDS)
        await_health(healed_stack)
        up_at = time.monotonic()
        asked.await_more(5 * PER_SECOND)

    outcome = LoadResult(asked.answered)
    before, during = outcome.since(0, down_at), outcome.since(down_at, down_at + _DOWN_SECONDS)
    added_ms = during.ms(0.99) - before.ms(0.99)
    recovery_seconds = outcome.last(is_bad, up_at)
    after = outcome.since(down_at)
    table.add("kill -9 Redis, again and again", after, recovery_seconds, f"p99 +{added_ms:.0f} ms")
    assert outcome.errors == []
    assert added_ms <= _MAX_ADDED_MS
    assert recovery_seconds <= 5


@pytest.fixture
def sold_out(api: httpx.Client) -> Iterator[str]:
    """An item that everybody would be shown, and must not be."""
    item_id = str(api.get(recommendations("somebody")).json()["items"][0]["item_id"])
    api.patch(item(item_id), json={"available": False}).raise_for_status()
    yield item_id
    api.patch(item(item_id), json={"available": True}).raise_for_status()


def test_an_emptied_redis_is_rebuilt_under_load(
    shop: Shop,
    healed_stack: Stack,
    asking: Sequence[Request],
    api: httpx.Client,
    sold_out: str,
    recsys: Recsys,
    table: Table,
) -> None:
    shopper = f"rebuilt-{uuid.uuid4().hex}"
    posted(api, purchase(shopper, sold_out))
    redis = connect(shop.stack.settings.redis_url)
    # Of events that a dying HBase refused before, some may be stored: nobody was told so, and only
    # a rebuild remembers them.
    assert recsys("rebuild").returncode == 0
    before = serving_digest(redis, TENANT), answers_to(api, shopper)
    with load(shop, asking, PER_SECOND) as asked:
        asked.await_more(int(_BEFORE_SECONDS * PER_SECOND))
        emptied_at = time.monotonic()
        redis.flushall()
        done = recsys("rebuild")
        rebuilt_at = time.monotonic()
        asked.await_more(3 * PER_SECOND)

    outcome = LoadResult(asked.answered).since(emptied_at)
    also = f"rebuilt in {rebuilt_at - emptied_at:.0f} s"
    table.add("Redis emptied", outcome, outcome.last(is_bad, rebuilt_at), also)
    assert done.returncode == 0, done.stderr
    assert outcome.errors == []
    assert (serving_digest(redis, TENANT), answers_to(api, shopper)) == before
    redis.close()
    # The model is written at the end of the rebuild, after Spark has started.
    meanwhile = outcome.since(emptied_at + _NOTICED_SECONDS, (emptied_at + rebuilt_at) / 2)
    users = [one for one in meanwhile.answered if "/users/" in one.path]
    assert users
    assert all(map(is_degraded, users))
    assert not any(sold_out in ids_of(one.body) for one in outcome.answered)


def answers_to(api: httpx.Client, shopper: str) -> list[list[str]]:
    return [ids_of(api.get(recommendations(who)).json()) for who in (shopper, KNOWN_CUSTOMER)]


def ids_of(body: dict[str, Any]) -> list[str]:
    return [entry["item_id"] for entry in body["items"]]


def test_a_redis_that_is_far_away_holds_nobody_up(
    shop: Shop, asking: Sequence[Request], table: Table, tmp_path: Path
) -> None:
    with (
        SlowProxy(shop.stack.settings.redis_url) as proxy,
        OwnServices(shop.stack, tmp_path, REDIS_URL=proxy.url) as own,
        load(shop, asking, PER_SECOND, own.url) as asked,
    ):
        asked.await_more(int(_BEFORE_SECONDS * PER_SECOND))
        far_at = time.monotonic()
        proxy.delay_seconds = _FAR_SECONDS
        asked.await_more(10 * PER_SECOND)
        pending = own.metric("recsys_in_flight")
        near_at = time.monotonic()
        proxy.delay_seconds = 0.0
        asked.await_more(5 * PER_SECOND)

    outcome = LoadResult(asked.answered)
    during = outcome.since(far_at, near_at)
    middle = (far_at + near_at) / 2
    recovery_seconds = outcome.last(is_bad, near_at)
    table.add("Redis 500 ms away", during, recovery_seconds, f"{pending:.0f} under way")
    assert outcome.errors == []
    assert during.ms(0.99) <= _MAX_FAR_MS
    # A queue that grows makes the later ones wait longer.
    assert during.since(middle).ms(0.5) <= during.since(0, middle).ms(0.5) + 20
    assert pending <= 0.1 * PER_SECOND
    assert recovery_seconds <= 5
