"""What a request of 8 MiB comes to in real stores, and what becomes of a merged visitor there."""

import itertools
import uuid
from dataclasses import dataclass

import pytest

from recsys.core.domain import Item
from recsys.core.limits import MAX_EVENTS, MAX_ITEMS
from recsys.core.recording import EventDraft, EventStatus
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.memory.users import MemoryUserStore
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis
from recsys.stores.redis.early_popularity import RedisEarlyPopularity
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.purchases import RedisPurchaseLog
from recsys.stores.redis.recent import RedisRecentBehaviour, decode_events
from services.ingest.catalogue import Catalogue
from services.ingest.cold_start import ColdStart
from services.ingest.merge_users import UserMerger
from services.ingest.record_events import EventRecorder
from services.ingest.users import Users
from tests.builders import EVENT_TYPES

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
TENANT = "shop"
NOW_MS = 1_800_000_000_000


@dataclass
class Ingest:
    """The ingest service over a real HBase and Redis."""

    interactions: HBaseInteractionStore
    recorder: EventRecorder
    merger: UserMerger
    catalogue: Catalogue
    redis: Redis

    def recent_of(self, user_id: str) -> list[str]:
        members = self.redis.zrange(keys.recent(TENANT, user_id), 0, -1, withscores=True)
        return [event.item_id for event in decode_events(members)]  # type: ignore[arg-type]


@pytest.fixture
def ingest(hbase_pool: HBasePool, redis: Redis) -> Ingest:
    interactions, items = HBaseInteractionStore(hbase_pool), HBaseItemStore(hbase_pool)
    recent = RedisRecentBehaviour(redis, lambda _: EVENT_TYPES)
    live, ids = RedisLiveCatalogue(redis), itertools.count()
    cold_start = ColdStart(
        *(RedisPublishedModels(redis), RedisEarlyPopularity(redis), recent, items, live),
        lambda _: EVENT_TYPES,
    )
    recorder = EventRecorder(
        *(interactions, recent, cold_start, RedisPurchaseLog(redis), lambda _: EVENT_TYPES),
        clock=lambda: NOW_MS,
        new_event_id=lambda: f"{uuid.uuid4().hex} {next(ids)}",
    )
    merger = UserMerger(
        interactions,
        recent,
        Users(MemoryUserStore(), lambda: NOW_MS),
        lambda _: EVENT_TYPES,
        lambda: NOW_MS + 5,
    )
    return Ingest(interactions, recorder, merger, Catalogue(items, live), redis)


@pytest.mark.parametrize("ids_given", [True, False])
def test_a_thousand_events_of_eight_kibibytes_are_stored_in_one_call(
    ingest: Ingest, ids_given: bool
) -> None:
    user_id = uuid.uuid4().hex
    drafts = [
        EventDraft(
            user_id,
            f"{n}-" + "ü" * 200,
            "view",
            event_id=f"{user_id} {n}" if ids_given else None,
            context={f"name{k}": "ü" * 256 for k in range(14)},
        )
        for n in range(MAX_EVENTS)
    ]
    recorded = ingest.recorder.record(TENANT, drafts)
    assert {outcome.status for outcome in recorded.outcomes} == {EventStatus.ACCEPTED}
    assert not recorded.degraded
    assert len(ingest.interactions.history(TENANT, user_id)) == MAX_EVENTS


def test_a_thousand_items_of_eight_kibibytes_are_stored_in_one_call(ingest: Ingest) -> None:
    run = uuid.uuid4().hex
    attributes = {f"name{n}": "ü" * 640 for n in range(6)}
    items = [Item(f"{run} {n}", attributes=attributes, created_ms=NOW_MS) for n in range(MAX_ITEMS)]
    ingest.catalogue.put_many(TENANT, items)
    assert ingest.catalogue.get(TENANT, f"{run} 999") == items[999]
    assert ingest.redis.hlen(keys.catalogue(TENANT)) == MAX_ITEMS


def test_a_merged_visitor_is_the_customer_in_both_stores(ingest: Ingest) -> None:
    visitor, customer = uuid.uuid4().hex, uuid.uuid4().hex
    kinds = ("view", "purchase", "view")
    drafts = [
        EventDraft(visitor, f"i{n}", kind, event_id=f"{visitor} {n}", timestamp_ms=NOW_MS - 9 + n)
        for n, kind in enumerate(kinds)
    ]
    ingest.recorder.record(TENANT, drafts)
    assert ingest.merger.merge(TENANT, visitor, customer).moved_events == 3
    assert ingest.merger.merge(TENANT, visitor, customer).moved_events == 0
    assert ingest.interactions.history(TENANT, visitor) == []
    moved = ingest.interactions.history(TENANT, customer)
    assert [event.item_id for event in moved] == ["i2", "i1", "i0"]
    assert ingest.recent_of(visitor) == []
    assert ingest.recent_of(customer) == ["i0", "i1", "i2"]
    # What is sent again is known, and stays the customer's.
    again = ingest.recorder.record(TENANT, drafts)
    assert {outcome.status for outcome in again.outcomes} == {EventStatus.DUPLICATE}
    assert ingest.interactions.history(TENANT, visitor) == []
    assert ingest.recent_of(visitor) == []
