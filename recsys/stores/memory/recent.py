"""Recent behaviour in memory."""

from collections import defaultdict
from collections.abc import Sequence

from recsys.core.behaviour import RecentEvent
from recsys.core.domain import Event, ReceivedEvent


class MemoryRecentBehaviour:
    """`RecentBehaviour` that lasts as long as the process."""

    def __init__(self) -> None:
        self._events: defaultdict[tuple[str, str], dict[Event, int]] = defaultdict(dict)

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        for event in events:
            # The first arrival counts.
            self._events[tenant, event.user_id].setdefault(event, received_ms)

    def restore(self, tenant: str, events: Sequence[ReceivedEvent]) -> None:
        for each in events:
            self.record(tenant, [each.event], each.received_ms)

    def of_user(self, tenant: str, user_id: str) -> list[RecentEvent]:
        """What is remembered of one user, in order of arrival."""
        in_order = sorted(self._events[tenant, user_id].items(), key=lambda entry: entry[1])
        return [
            RecentEvent(event.item_id, event.event_type, event.timestamp_ms, received_ms)
            for event, received_ms in in_order
        ]
