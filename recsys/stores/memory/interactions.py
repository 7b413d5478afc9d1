"""Behaviour in memory."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from threading import Lock

from recsys.core.domain import Event, ReceivedEvent
from recsys.core.ports import AppendResult

# Imported events were received before all others.
_IMPORTED_MS = 0


class MemoryInteractionStore:
    """`InteractionStore` that lasts as long as the process, and knows event ids for as long."""

    def __init__(self) -> None:
        self._events: defaultdict[str, dict[str, ReceivedEvent]] = defaultdict(dict)
        self._lock = Lock()

    def append(
        self,
        tenant: str,
        events: Sequence[Event],
        received_ms: int,
        made_ids: Collection[str] = (),  # noqa: ARG002 - a look-up costs nothing here
    ) -> list[AppendResult]:
        with self._lock:
            return [self._add(tenant, ReceivedEvent(event, received_ms)) for event in events]

    def put_many(self, tenant: str, events: Iterable[Event], *, ids_given: bool) -> int:
        results = self.append(tenant, list(events), _IMPORTED_MS)
        return sum(result.is_new for result in results) if ids_given else len(results)

    def reassign(
        self, tenant: str, events: Sequence[Event], user_id: str, received_ms: int
    ) -> None:
        with self._lock:
            for event in events:
                moved = replace(event, user_id=user_id)
                self._events[tenant][event.event_id] = ReceivedEvent(moved, received_ms)

    def remove(
        self,
        tenant: str,
        events: Sequence[Event],
        removed_ms: int,  # noqa: ARG002 - nothing here is read by its time
    ) -> None:
        with self._lock:
            for event in events:
                stored = self._events[tenant].get(event.event_id)
                # What was reassigned is another user's.
                if stored is not None and stored.event == event:
                    del self._events[tenant][event.event_id]

    def erase(self, tenant: str, events: Sequence[Event], removed_ms: int) -> None:
        self.remove(tenant, events, removed_ms)

    def remove_imported(self, tenant: str, events: Sequence[Event], removed_ms: int) -> int:
        with self._lock:
            stored = self._events[tenant]
            imported = {
                event.event_id: event
                for event in events
                if stored.get(event.event_id) == ReceivedEvent(event, _IMPORTED_MS)
            }
        self.remove(tenant, list(imported.values()), removed_ms)
        return len(imported)

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
            stored = [each.event for each in self._events[tenant].values()]
        events = [event for event in stored if event.user_id == user_id]
        events = [event for event in events if event.timestamp_ms >= start_ms]
        if end_ms is not None:
            events = [event for event in events if event.timestamp_ms < end_ms]
        return sorted(events, key=_newest_first)[:limit]

    def _add(self, tenant: str, received: ReceivedEvent) -> AppendResult:
        ids = self._events[tenant]
        first = ids.setdefault(received.event.event_id, received)
        return AppendResult(first, is_new=first is received)


def _newest_first(event: Event) -> tuple[int, bytes]:
    return -event.timestamp_ms, event.event_id.encode()
