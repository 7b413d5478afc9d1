"""Recent behaviour: a sorted set a user, by time of arrival, bounded and expiring.

The score of an event is its arrival in UTC milliseconds; that of an event which excludes its item
is the same below zero. So one set, read at once, holds two windows that do not push each other out,
and trimming each to its newest members takes no look at the others.

A member is [event_id, event_type, item_id, timestamp_ms, quantity, price] as JSON; the last two are
there only where the shop counts them. What later releases put behind them is left out.
"""

import json
from collections.abc import Iterable, Sequence
from typing import cast

import redis

from recsys.core.behaviour import MAX_RECENT_EVENTS, MAX_RECENT_EXCLUSIONS, RecentEvent
from recsys.core.domain import Event, ReceivedEvent
from recsys.core.event_types import EventTypes, EventTypesOf, counted_details, excludes_item
from recsys.stores.redis import keys
from recsys.stores.redis.connect import translated_errors

# Quantity and price.
_DETAILS = 2
# At least as many as a batch has events.
_PLACES_PER_MILLISECOND = 1024
# Users who stay away must not fill the memory for ever. Shops train every night, so a model has
# had an event long before; where none was trained for that long, `recsys rebuild` reads it again.
EXPIRE_SECONDS = 30 * 24 * 3600
# Newest members are the lowest of those that exclude and the highest of the others.
_TRIM = """
local excluding = redis.call('ZCOUNT', KEYS[1], '-inf', '(0')
redis.call('ZREMRANGEBYRANK', KEYS[1], excluding, -1 - ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], ARGV[2], excluding - 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
_BOUNDS = (MAX_RECENT_EVENTS, MAX_RECENT_EXCLUSIONS, EXPIRE_SECONDS)


class RedisRecentBehaviour:
    """The RecentBehaviour port."""

    def __init__(self, client: "redis.Redis", event_types_of: EventTypesOf) -> None:
        self._redis = client
        self._event_types_of = event_types_of

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        # Fractions of the millisecond keep the order of a batch; a double holds them.
        self._add(
            tenant,
            [(event, received_ms + n / _PLACES_PER_MILLISECOND) for n, event in enumerate(events)],
        )

    def excluded(self, tenant: str, user_id: str) -> set[str]:
        key = keys.recent(tenant, user_id)
        with translated_errors():
            members = self._redis.zrangebyscore(key, "-inf", "(0", withscores=True)
        pairs = cast(list[tuple[bytes, float]], members)
        return {event.item_id for event in decode_events(pairs)}

    def restore(self, tenant: str, events: Sequence[ReceivedEvent]) -> None:
        self._add(tenant, [(each.event, float(each.received_ms)) for each in events])

    def _add(self, tenant: str, events: Sequence[tuple[Event, float]]) -> None:
        """NX keeps the first arrival of a repeated event, so a repeat changes nothing."""
        types = self._event_types_of(tenant)
        with translated_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for event, arrival in events:
                key = keys.recent(tenant, event.user_id)
                score = -arrival if excludes_item(event.event_type, types) else arrival
                pipeline.zadd(key, {encode_event(event, types): score}, nx=True)
            for user_id in {event.user_id for event, _ in events}:
                pipeline.eval(_TRIM, 1, keys.recent(tenant, user_id), *_BOUNDS)
            pipeline.execute()


def encode_event(event: Event, event_types: EventTypes) -> bytes:
    """One event as a member of the set: the same event is the same member."""
    member = [event.event_id, event.event_type, event.item_id, event.timestamp_ms]
    quantity, price = counted_details(event, event_types)
    if price is not None:
        member += [quantity, price]
    elif quantity is not None:
        member.append(quantity)
    return json.dumps(member, ensure_ascii=False, separators=(",", ":")).encode()


def decode_events(members: Iterable[tuple[bytes, float]]) -> list[RecentEvent]:
    """The events of members and their scores, in order of arrival.

    An event that was remembered both before and after the shop began to count its quantity or price
    is two members; it counts once, with what it has.
    """
    found: dict[tuple[str, str, str, int], RecentEvent] = {}
    for member, score in sorted(members, key=lambda member: abs(member[1])):
        event_id, event_type, item_id, timestamp_ms, *details = json.loads(member)
        key = event_id, event_type, item_id, timestamp_ms
        if details or key not in found:
            received_ms = int(abs(score))
            counted = details[:_DETAILS]
            found[key] = RecentEvent(item_id, event_type, timestamp_ms, received_ms, *counted)
    return list(found.values())
