"""Redis has lost everything: windows of popularity go on with the orders since the night."""

import time
from dataclasses import replace
from typing import Any

import pytest

from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.redis import keys
from recsys.stores.redis.connect import connect
from spark_jobs.nightly.run import rebuild
from tests.integration.conftest import Seed
from tests.integration.nightly_shop import Nightly, an_event, shop_events, shop_items

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


@pytest.fixture
def seeded_shop(seed: Seed) -> str:
    """A shop of this test's own, since it adds to its history; `nightly` runs over it."""
    seed("windowed", shop_events(), shop_items())
    return "windowed"


def test_orders_since_the_night_are_counted_again(nightly: Nightly, hbase_pool: HBasePool) -> None:
    nightly.run()
    tenant, now_ms = nightly.plan.tenant, time.time_ns() // 1_000_000
    today = replace(an_event("viewer", "b6"), event_id="today", timestamp_ms=now_ms)
    seen = replace(today, event_id="seen", item_id="b8", event_type="view")
    long_ago = an_event("viewer", "b7", days_ago=1e-6)
    HBaseInteractionStore(hbase_pool).append(tenant, [today, seen, long_ago], now_ms)
    with connect(nightly.redis_url) as redis:
        redis.flushdb()

        rebuild(nightly.settings, tenant, None, nightly.said.append)

        entries: Any = redis.xrange(keys.purchases(tenant))
    assert [fields[b"item"] for _, fields in entries] == [b"b6"]
