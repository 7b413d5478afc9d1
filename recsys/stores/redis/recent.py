"""Recent behaviour: a sorted set a user, by time of arrival, bounded and expiring.

The score of an event is its arrival in UTC milliseconds; that of an event which excludes its item
is the same below zero. So one set, read at once, holds two windows that do not push each other out,
and trimming each to its newest members takes no look at the others.

Events that are no more than impressions have a set of their own, of the newest ones; a member is
[event_id, item_id] as JSON.

A shop has quotas of users and of bytes. Its users stand in a sorted set by when they were seen
last, and a counter has the bytes of their lists.

A member is [event_id, event_type, item_id, timestamp_ms, quantity, price, rating] as JSON; the last
three are there only where the shop counts them. What later releases put behind them is left out.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import cast

import redis
from redis.exceptions import NoScriptError

from recsys.core.behaviour import (
    MAX_IMPRESSIONS,
    MAX_RECENT_EVENTS,
    MAX_RECENT_EXCLUSIONS,
    Impression,
    RecentEvent,
)
from recsys.core.domain import Event, ReceivedEvent
from recsys.core.event_types import (
    EventTypes,
    EventTypesOf,
    counted_details,
    excludes_item,
    is_only_shown,
)
from recsys.core.quotas import QuotasOf, shipped_quotas
from recsys.stores.documents import encode_document
from recsys.stores.redis import keys
from recsys.stores.redis.connect import translated_errors

# Quantity, price and rating.
_DETAILS = 3
# At least as many as a batch has events.
_PLACES_PER_MILLISECOND = 1024
# Users who stay away must not fill the memory for ever. Shops train every night, so a model has
# had an event long before; where none was trained for that long, `recsys rebuild` reads it again.
EXPIRE_SECONDS = 30 * 24 * 3600
# A list that ends by itself takes what was counted of it along: in a shop that goes on, whoever is
# that old is forgotten before.
_FORGOTTEN_SECONDS = 29 * 24 * 3600
# What one write may cost at most for the sake of others: more than one goes for each that comes.
_FORGET_AT_ONCE = 20

# Scripts hold up all others: so many lists take some half a millisecond.
_LISTS_PER_CALL = 50

# Lua puts no more than some thousand values into one call.
_EVENTS_OF_A_LIST = 1000

# Of some users' lists: takes in events, keeps the newest, and forgets those users of the shop who
# were seen longest ago while it takes more than its quotas. Newest members are the lowest of those
# that exclude and the highest of the others. What a list takes is counted by the difference that a
# write makes.
_RECORD = """
local users, bytes, recent, shown = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local max_exclusions = tonumber(ARGV[3])
local expire, forgotten = ARGV[4], tonumber(ARGV[5])
local max_users, max_bytes, at_once = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local function size(key) return redis.call('MEMORY', 'USAGE', key) or 0 end
local function both(user) return size(recent .. user) + size(shown .. user) end
local at, grown, latest, written, writers = 9, 0, 0, {}, 0
for n = 3, #KEYS do
  local list, user, seen_ms, max_events = KEYS[n], ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local last = at + 3 + 2 * ARGV[at + 3]
  local before = size(list)
  redis.call('ZADD', list, 'NX', unpack(ARGV, at + 4, last))
  if redis.call('ZCARD', list) > math.min(max_events, max_exclusions) then
    local excluding = redis.call('ZCOUNT', list, '-inf', '(0')
    redis.call('ZREMRANGEBYRANK', list, excluding, -1 - max_events)
    redis.call('ZREMRANGEBYRANK', list, max_exclusions, excluding - 1)
  end
  redis.call('EXPIRE', list, expire)
  redis.call('ZADD', users, 'GT', seen_ms, user)
  grown = grown + size(list) - before
  if not written[user] then writers = writers + 1 end
  latest, written[user], at = math.max(latest, tonumber(seen_ms)), true, last + 1
end
local total = redis.call('INCRBY', bytes, grown)
local count = redis.call('ZCARD', users)
for _ = 1, at_once * (#KEYS - 2) do
  local oldest = redis.call('ZRANGE', users, 0, 0, 'WITHSCORES')
  local is_old = tonumber(oldest[2]) < latest - forgotten * 1000
  if written[oldest[1]] or not (is_old or count > max_users or total > max_bytes) then break end
  total = redis.call('DECRBY', bytes, both(oldest[1]))
  redis.call('UNLINK', recent .. oldest[1], shown .. oldest[1])
  redis.call('ZREM', users, oldest[1])
  count = count - 1
end
if count == writers then
  total = 0
  for user in pairs(written) do total = total + both(user) end
  redis.call('SET', bytes, total)
end
redis.call('EXPIRE', users, expire)
redis.call('EXPIRE', bytes, expire)
"""
_RECORD_DIGEST = hashlib.sha1(_RECORD.encode(), usedforsecurity=False).hexdigest()
_FORGET = """
for n = 1, 2 do
  redis.call('DECRBY', KEYS[4], redis.call('MEMORY', 'USAGE', KEYS[n]) or 0)
  redis.call('DEL', KEYS[n])
end
redis.call('ZREM', KEYS[3], ARGV[1])
"""
_BOUNDS = (MAX_RECENT_EXCLUSIONS, EXPIRE_SECONDS, _FORGOTTEN_SECONDS)


class RedisRecentBehaviour:
    """The RecentBehaviour port."""

    def __init__(
        self,
        client: "redis.Redis",
        event_types_of: EventTypesOf,
        quotas_of: QuotasOf = shipped_quotas,
    ) -> None:
        self._redis = client
        self._event_types_of = event_types_of
        self._quotas_of = quotas_of

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

    def forget(self, tenant: str, user_id: str) -> None:
        with translated_errors():
            self._redis.eval(_FORGET, 4, *_names(tenant, user_id), user_id)

    def _add(self, tenant: str, events: Sequence[tuple[Event, float]]) -> None:
        """NX keeps the first arrival of a repeated event, so a repeat changes nothing."""
        types, quotas = self._event_types_of(tenant), self._quotas_of(tenant)
        by_list: defaultdict[tuple[str, str, int], list[tuple[Event, float]]] = defaultdict(list)
        recent, shown = keys.recent(tenant, ""), keys.shown(tenant, "")
        for event, arrival in events:
            is_shown = is_only_shown(event.event_type, types)
            kept = (shown, MAX_IMPRESSIONS) if is_shown else (recent, MAX_RECENT_EVENTS)
            by_list[event.user_id, *kept].append((event, arrival))
        bounds = *_BOUNDS, quotas.recent_users, quotas.recent_bytes, _FORGET_AT_ONCE
        parts = (
            (*named, received[start : start + _EVENTS_OF_A_LIST])
            for named, received in by_list.items()
            for start in range(0, len(received), _EVENTS_OF_A_LIST)
        )
        while some := list(islice(parts, _LISTS_PER_CALL)):
            names = [keys.recent_users(tenant), keys.recent_bytes(tenant)]
            arguments: list[str | float | bytes] = [recent, shown, *bounds]
            for user_id, prefix, max_events, received in some:
                names.append(prefix + user_id)
                seen_ms = int(max(arrival for _, arrival in received))
                arguments += user_id, seen_ms, max_events, len(received)
                arguments += _members(received, types)
            self._record(names, arguments)

    def _record(self, names: Sequence[str], arguments: Sequence[str | float | bytes]) -> None:
        """Run the script, which is sent whole only to a server that does not have it."""
        with translated_errors():
            try:
                self._redis.evalsha(_RECORD_DIGEST, len(names), *names, *arguments)
            except NoScriptError:
                self._redis.eval(_RECORD, len(names), *names, *arguments)


def _names(tenant: str, user_id: str) -> tuple[str, ...]:
    lists = keys.recent(tenant, user_id), keys.shown(tenant, user_id)
    return *lists, keys.recent_users(tenant), keys.recent_bytes(tenant)


def _members(received: Iterable[tuple[Event, float]], types: EventTypes) -> Iterator[float | bytes]:
    """Score and member of each event."""
    for event, arrival in received:
        yield -arrival if excludes_item(event.event_type, types) else arrival
        shown = is_only_shown(event.event_type, types)
        yield encode_impression(event) if shown else encode_event(event, types)


def encode_event(event: Event, event_types: EventTypes) -> bytes:
    """One event as a member of the set: the same event is the same member."""
    member = [event.event_id, event.event_type, event.item_id, event.timestamp_ms]
    details = list(counted_details(event, event_types))
    while details and details[-1] is None:
        details.pop()
    member += details
    return encode_document(member)


def encode_impression(event: Event) -> bytes:
    """An impression as a member of its set."""
    member = [event.event_id, event.item_id]
    return encode_document(member)


def decode_impressions(members: Iterable[tuple[bytes, float]]) -> list[Impression]:
    return [Impression(json.loads(member)[1], int(score)) for member, score in members]


def decode_events(members: Iterable[tuple[bytes, float]]) -> list[RecentEvent]:
    """The events of members and their scores, in order of arrival.

    An event that was remembered both before and after the shop began to count one of its details is
    two members; it counts once, with what it has.
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
