"""Recent behaviour in memory."""

from collections import defaultdict
from collections.abc import Sequence

from recsys.core.behaviour import (
    MAX_IMPRESSIONS,
    MAX_RECENT_EVENTS,
    MAX_RECENT_EXCLUSIONS,
    Impression,
    RecentEvent,
)
from recsys.core.domain import Event, ReceivedEvent
from recsys.core.event_types import EventTypesOf, counted_details, excludes_item, is_only_shown


class MemoryRecentBehaviour:
    """`RecentBehaviour` that lasts as long as the process."""

    def __init__(self, event_types_of: EventTypesOf) -> None:
        self._event_types_of = event_types_of
        self._events: defaultdict[tuple[str, str], dict[Event, int]] = defaultdict(dict)
        self._shown: defaultdict[tuple[str, str], dict[Event, int]] = defaultdict(dict)

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        types = self._event_types_of(tenant)
        for event in events:
            kept = self._shown if is_only_shown(event.event_type, types) else self._events
            # The first arrival counts.
            kept[tenant, event.user_id].setdefault(event, received_ms)
        for user_id in {event.user_id for event in events}:
            self._trim(tenant, user_id)

    def excluded(self, tenant: str, user_id: str) -> set[str]:
        events = self._events[tenant, user_id]
        types = self._event_types_of(tenant)
        return {event.item_id for event in events if excludes_item(event.event_type, types)}

    def forget(self, tenant: str, user_id: str) -> None:
        self._events.pop((tenant, user_id), None)
        self._shown.pop((tenant, user_id), None)

    def restore(self, tenant: str, events: Sequence[ReceivedEvent]) -> None:
        for each in events:
            self.record(tenant, [each.event], each.received_ms)

    def of_user(self, tenant: str, user_id: str) -> list[RecentEvent]:
        """Recent events of one user, in order of arrival."""
        return [
            RecentEvent(
                event.item_id,
                event.event_type,
                event.timestamp_ms,
                received_ms,
                *counted_details(event, self._event_types_of(tenant)),
            )
            for event, received_ms in self._in_order(tenant, user_id)
        ]

    def impressions(self, tenant: str, user_id: str) -> list[Impression]:
        """The newest impressions of one user."""
        shown = sorted(self._shown[tenant, user_id].items(), key=lambda entry: entry[1])
        return [Impression(event.item_id, at) for event, at in shown[-MAX_IMPRESSIONS:]]

    def _trim(self, tenant: str, user_id: str) -> None:
        in_order = [event for event, _ in self._in_order(tenant, user_id)]
        types = self._event_types_of(tenant)
        excluding = [event for event in in_order if excludes_item(event.event_type, types)]
        others = [event for event in in_order if not excludes_item(event.event_type, types)]
        for event in excluding[:-MAX_RECENT_EXCLUSIONS] + others[:-MAX_RECENT_EVENTS]:
            del self._events[tenant, user_id][event]

    def _in_order(self, tenant: str, user_id: str) -> list[tuple[Event, int]]:
        return sorted(self._events[tenant, user_id].items(), key=lambda entry: entry[1])
