"""HBase is killed and comes back: nothing that was acknowledged is lost or doubled."""

from collections.abc import Callable, Iterator

import pytest

from recsys.core.domain import Event
from recsys.stores.hbase.interaction_scan import InteractionScan, TimeWindow
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.keys import user_prefix
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from tests.hbase_fixture import await_hbase

pytestmark = pytest.mark.hbase
TENANT = "shop"
NOW_MS = 1_800_000_000_000


def events_of(user_id: str, count: int) -> list[Event]:
    return [
        Event(f"{user_id} {time}", user_id, f"i{time % 7}", "view", time) for time in range(count)
    ]


def append(store: HBaseInteractionStore, events: list[Event]) -> list[bool]:
    """Append and tell which are new."""
    return [result.is_new for result in store.append(TENANT, events, NOW_MS)]


@pytest.fixture
def own_pool(hbase: str) -> Iterator[HBasePool]:
    """Of new connections. An attempt against a dead server ends soon, so that one can try again."""
    pool = HBasePool(hbase, PoolSettings(call_timeout_seconds=5))
    yield pool
    pool.close()


def test_acknowledged_events_survive_kill_9(
    own_pool: HBasePool,
    hbase_interactions: HBaseInteractionStore,
    crash_hbase: Callable[[], None],
) -> None:
    batched = events_of("batched", 500)
    assert all(append(hbase_interactions, batched))
    for event in events_of("single", 100):
        assert append(hbase_interactions, [event]) == [True]

    crash_hbase()

    await_hbase(own_pool)
    store = HBaseInteractionStore(own_pool)
    assert store.history(TENANT, "batched") == batched[::-1]
    assert store.history(TENANT, "single") == events_of("single", 100)[::-1]
    assert not any(append(store, batched))


def test_a_scan_goes_on_where_it_was_after_kill_9(
    own_pool: HBasePool,
    hbase_interactions: HBaseInteractionStore,
    crash_hbase: Callable[[], None],
) -> None:
    written = hbase_interactions.put_many(TENANT, events_of("reader", 12_000), ids_given=False)
    scan = InteractionScan(own_pool, TENANT)
    (key_range,) = [
        one for one in scan.ranges() if one.start[:1] == user_prefix("reader")[:1].lstrip(b"\0")
    ]

    times: list[int] = []
    for page_number, page in enumerate(scan.read(key_range, TimeWindow())):
        if page_number == 0:
            crash_hbase()
        users = zip(page.user_ids, page.timestamps_ms.tolist(), strict=True)
        times.extend(time for user_id, time in users if user_id == b"reader")

    assert written == 12_000
    assert times == list(range(11_999, -1, -1))


def test_a_bulk_write_goes_on_after_kill_9(
    own_pool: HBasePool, crash_hbase: Callable[[], None]
) -> None:
    store = HBaseInteractionStore(own_pool)
    events = events_of("writer", 3000)

    def crashing() -> Iterator[Event]:
        for number, event in enumerate(events):
            if number == 1500:
                crash_hbase()
            yield event

    assert store.put_many(TENANT, crashing(), ids_given=True) == 3000
    assert store.history(TENANT, "writer") == events[::-1]
