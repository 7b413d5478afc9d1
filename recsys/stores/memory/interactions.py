"""Behaviour in memory."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from threading import Lock

from recsys.core.domain import Event

_EventKey = tuple[int, str]


class MemoryInteractionStore:
    """`InteractionStore` that lasts as long as the process."""

    def __init__(self) -> None:
        self._events: defaultdict[tuple[str, str], dict[_EventKey, Event]] = defaultdict(dict)
        self._lock = Lock()

    def append(self, tenant: str, events: Sequence[Event]) -> list[bool]:
        with self._lock:
            return [self._add(tenant, event) for event in events]

    def put_many(self, tenant: str, events: Iterable[Event]) -> int:
        return len(self.append(tenant, list(events)))

    def history(
        self,
        tenant: str,
        user_id: str,
        *,
        start_ms: int = 0,
        end_ms: int | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        with self._lock:
            events = list(self._events[tenant, user_id].values())
        events = [event for event in events if event.timestamp_ms >= start_ms]
        if end_ms is not None:
            events = [event for event in events if event.timestamp_ms < end_ms]
        return sorted(events, key=_newest_first)[:limit]

    def find(
        self, tenant: str, user_id: str, event_ids: Collection[str], since_ms: int
    ) -> dict[str, int]:
        oldest_first = reversed(self.history(tenant, user_id, start_ms=since_ms))
        return {e.event_id: e.timestamp_ms for e in oldest_first if e.event_id in event_ids}

    def _add(self, tenant: str, event: Event) -> bool:
        stored = self._events[tenant, event.user_id]
        key = (event.timestamp_ms, event.event_id)
        is_new = key not in stored
        stored.setdefault(key, event)
        return is_new


def _newest_first(event: Event) -> tuple[int, bytes]:
    return -event.timestamp_ms, event.event_id.encode()
