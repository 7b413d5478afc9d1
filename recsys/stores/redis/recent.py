"""Recent behaviour: a sorted set a user, ordered by time of arrival, bounded and expiring."""

import json
from collections.abc import Sequence

import redis

from recsys.core.behaviour import RecentEvent
from recsys.core.domain import Event, ReceivedEvent
from recsys.stores.redis import keys
from recsys.stores.redis.connect import translated_errors

MAX_RECENT_EVENTS = 200
# At least as many as a batch has events.
_PLACES_A_MILLISECOND = 1024
# Longer than any sensible pause between trainings; after one the events are in the model anyway.
EXPIRE_SECONDS = 30 * 24 * 3600


class RedisRecentBehaviour:
    """The RecentBehaviour port."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        # Fractions of the millisecond keep the order of a batch; a double holds them.
        self._add(
            tenant,
            [(event, received_ms + n / _PLACES_A_MILLISECOND) for n, event in enumerate(events)],
        )

    def restore(self, tenant: str, events: Sequence[ReceivedEvent]) -> None:
        self._add(tenant, [(each.event, float(each.received_ms)) for each in events])

    def _add(self, tenant: str, events: Sequence[tuple[Event, float]]) -> None:
        """NX keeps the first arrival of a repeated event, so a repeat changes nothing."""
        with translated_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for event, arrival in events:
                key = keys.recent(tenant, event.user_id)
                pipeline.zadd(key, {encode_event(event): arrival}, nx=True)
            for user_id in {event.user_id for event, _ in events}:
                key = keys.recent(tenant, user_id)
                pipeline.zremrangebyrank(key, 0, -MAX_RECENT_EVENTS - 1)
                pipeline.expire(key, EXPIRE_SECONDS)
            pipeline.execute()


def encode_event(event: Event) -> bytes:
    """One event as a member of the set: the same event is the same member."""
    member = [event.event_id, event.event_type, event.item_id, event.timestamp_ms]
    return json.dumps(member, ensure_ascii=False, separators=(",", ":")).encode()


def decode_event(member: bytes, received_ms: float) -> RecentEvent:
    _, event_type, item_id, timestamp_ms = json.loads(member)
    return RecentEvent(item_id, event_type, timestamp_ms, int(received_ms))
