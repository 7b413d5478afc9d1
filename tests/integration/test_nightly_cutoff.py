"""Every event is in the model or among the recent ones, whenever it comes: never in both."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow.parquet as pq
import pytest

from recsys.config.shop import load_shop
from recsys.core.behaviour import RecentEvent
from recsys.core.domain import Event
from recsys.core.ports import UserLookup
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.redis.connect import connect, connect_async
from recsys.stores.redis.multiplexed import MultiplexedRedis
from recsys.stores.redis.recent import RedisRecentBehaviour
from recsys.stores.redis.serving import RedisServingStore
from spark_jobs.nightly import cutoff
from spark_jobs.nightly.plan import Step
from spark_jobs.nightly.run import rebuild
from spark_jobs.nightly.run_folder import RunFolder, Window
from tests.integration.conftest import Seed
from tests.integration.nightly_shop import DAY_MS, Nightly, an_event, shop_events, shop_items

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def seeded_shop(seed: Seed) -> str:
    """A shop of these tests' own, since they add to its history; `nightly` runs over it."""
    seed("parted", shop_events(), shop_items())
    return "parted"


@pytest.fixture
def shopper(request: pytest.FixtureRequest) -> str:
    return f"shopper of {request.node.name}"


@dataclass
class Arrivals:
    """Brings events in as the ingest service and as imports do, and counts where they are."""

    nightly: Nightly
    store: HBaseInteractionStore

    @property
    def tenant(self) -> str:
        return self.nightly.plan.tenant

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.nightly.settings.run_folder(self.tenant))

    def record(self, event: Event, received_ms: int) -> None:
        [result] = self.store.append(self.tenant, [event], received_ms)
        stored = result.stored
        with connect(self.nightly.redis_url) as redis:
            recent = RedisRecentBehaviour(redis, lambda _: load_shop().event_types)
            recent.record(self.tenant, [stored.event], stored.received_ms)

    def bring(self, *events: Event) -> None:
        self.store.put_many(self.tenant, events, ids_given=True)

    def read(self, **changes: object) -> None:
        """The step of a run that decides what a model is made of."""
        self.nightly.run([Step.READ], **changes)

    def in_model(self, shopper: str) -> list[str]:
        """Items of the events that the run read."""
        rows = pq.read_table(self.folder.events).to_pylist()
        return sorted(row["item_id"] for row in rows if row["user_id"] == shopper)

    def added(self, shopper: str) -> list[str]:
        """Items of the recent events that answers add to a model of what the run read."""
        snapshot = self.folder.snapshot()
        return sorted(
            event.item_id
            for event in asyncio.run(self._recent(shopper))
            if event.received_ms >= snapshot.read_at_ms
            or event.timestamp_ms >= snapshot.window.end_ms
        )

    async def _recent(self, shopper: str) -> list[RecentEvent]:
        client = connect_async(self.nightly.redis_url, timeout_seconds=5)
        shared = MultiplexedRedis(self.nightly.redis_url, timeout_seconds=5)
        wanted = UserLookup(self.tenant, "", shopper, with_record=False)
        [user] = await RedisServingStore(client, shared).users([wanted])
        await shared.aclose()
        await client.aclose()
        return user.recent.events()


@pytest.fixture
def arrivals(nightly: Nightly, hbase_pool: HBasePool) -> Arrivals:
    return Arrivals(nightly, HBaseInteractionStore(hbase_pool))


@pytest.fixture
def before_the_scan(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Lets something happen after the cutoff was taken and before the scan begins."""

    def arrange(happening: Callable[[], None]) -> None:
        wait = cutoff.Cutoff.wait

        def waiting(taken: cutoff.Cutoff, say: Callable[[str], None]) -> int:
            happening()
            return wait(taken, say)

        monkeypatch.setattr(cutoff.Cutoff, "wait", waiting)

    return arrange


def test_what_comes_while_a_run_reads_is_in_the_model_or_among_the_recent(
    arrivals: Arrivals, before_the_scan: Callable[..., None], shopper: str
) -> None:
    received_ms = now_ms()
    arrivals.record(an_event(shopper, "a0", "view"), received_ms)

    def happening() -> None:
        # Received before the cutoff, on its way to HBase until now.
        arrivals.record(an_event(shopper, "a1", "view"), received_ms)
        # Received after the cutoff, and dated before it; the scan comes by it.
        arrivals.record(an_event(shopper, "a2", "view"), now_ms())

    before_the_scan(happening)
    arrivals.read()
    arrivals.record(an_event(shopper, "a3", "view"), now_ms())

    assert arrivals.in_model(shopper) == ["a0", "a1"]
    assert arrivals.added(shopper) == ["a2", "a3"]


def test_the_next_run_takes_over_what_was_recent(
    arrivals: Arrivals, before_the_scan: Callable[..., None], shopper: str
) -> None:
    before_the_scan(lambda: arrivals.record(an_event(shopper, "a2", "view"), now_ms()))
    arrivals.read()
    time.sleep(0.01)
    arrivals.read()

    assert arrivals.in_model(shopper) == ["a2"]
    assert arrivals.added(shopper) == []


def test_a_clock_ten_minutes_ahead_hides_nothing(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch, shopper: str
) -> None:
    monkeypatch.setattr(cutoff, "utc_now_ms", lambda: now_ms() + 600_000)
    arrivals.record(an_event(shopper, "a0", "view"), now_ms() - 5)
    arrivals.read()
    arrivals.record(an_event(shopper, "a1", "view"), now_ms())

    assert (arrivals.in_model(shopper), arrivals.added(shopper)) == (["a0"], ["a1"])
    assert any("600 s ahead" in line for line in arrivals.nightly.said)


def test_an_import_right_before_a_run_is_in_the_model_whatever_its_dates(
    arrivals: Arrivals, before_the_scan: Callable[..., None], shopper: str
) -> None:
    old, new = an_event(shopper, "a0", "view", days_ago=9), an_event(shopper, "a1", "view")
    # Later than any cutoff, though within the window.
    future = Event(f"{shopper} a2", shopper, "a2", "view", now_ms() + 3_600_000)
    arrivals.bring(old, new, future)
    # The same file again, while the run reads.
    before_the_scan(lambda: arrivals.bring(old, new, future))

    arrivals.read(window=Window(0, now_ms() + DAY_MS))

    assert arrivals.in_model(shopper) == ["a0", "a1", "a2"]
    assert arrivals.added(shopper) == []


def test_an_event_sent_again_stays_where_its_first_is(arrivals: Arrivals, shopper: str) -> None:
    first = an_event(shopper, "a0", "view")
    arrivals.record(first, now_ms() - 5)
    arrivals.read()

    arrivals.record(first, now_ms())
    arrivals.bring(first)

    assert (arrivals.in_model(shopper), arrivals.added(shopper)) == (["a0"], [])


def test_a_rebuild_remembers_exactly_what_is_not_in_the_model(
    arrivals: Arrivals, before_the_scan: Callable[..., None], shopper: str
) -> None:
    nightly, received_ms = arrivals.nightly, now_ms()

    def happening() -> None:
        arrivals.record(an_event(shopper, "a1", "view"), received_ms)
        arrivals.record(an_event(shopper, "a2", "view"), now_ms())

    before_the_scan(happening)
    nightly.run()
    assert arrivals.added(shopper) == ["a2"]
    version = nightly.serving()
    with connect(nightly.redis_url) as redis:
        redis.flushdb()

    rebuild(nightly.settings, nightly.plan.tenant, version, nightly.said.append)

    assert arrivals.added(shopper) == ["a2"]
