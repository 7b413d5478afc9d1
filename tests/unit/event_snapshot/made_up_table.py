"""A table of events in memory, with the clock by which they come."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from recsys.core.domain import Event
from recsys.stores.hbase.interaction_scan import InteractionColumns
from recsys.stores.hbase.keys import row_key
from recsys.stores.hbase.layout import IMPORTED_BELOW, imported_at
from recsys.stores.hbase.table import KeyRange

_PAGE_ROWS = 3
START_MS = 1_700_000_000_000


@dataclass
class MadeUpTable:
    """`EventSource`, and what ingest and imports do to the table behind it.

    Attributes:
        removals: as `Removals` keeps them: user ids, and when they were recorded.
    """

    now_ms: int = START_MS
    rows: dict[bytes, tuple[Event, int]] = field(default_factory=dict)
    removals: list[tuple[str, int]] = field(default_factory=list)

    def receive(self, event: Event, late_ms: int = 0) -> None:
        """Store an event that came in some time ago, unless it is there."""
        self.rows.setdefault(_key(event), (event, self.now_ms - late_ms))

    def bring(self, event: Event, late_ms: int = 0) -> None:
        """Import an event; one that a service received stays: its timestamp is later."""
        written_ms = imported_at(self.now_ms - late_ms)
        known, known_ms = self.rows.get(_key(event), (event, 0))
        is_later = written_ms >= known_ms
        self.rows[_key(event)] = (event, written_ms) if is_later else (known, known_ms)

    def merge(self, source: str, target: str) -> None:
        events = self.of_user(source)
        for event in events:
            moved = replace(event, user_id=target)
            self.rows[_key(moved)] = (moved, self.now_ms)
        self.remove(source)

    def remove(self, user_id: str) -> None:
        self.removals.append((user_id, self.now_ms))
        for event in self.of_user(user_id):
            del self.rows[_key(event)]

    def of_user(self, user_id: str) -> list[Event]:
        return [event for event, _ in self.rows.values() if event.user_id == user_id]

    def removed_since(self, moment_ms: int) -> tuple[str, ...]:
        return tuple(user for user, at_ms in self.removals if at_ms >= moment_ms)

    def all(self, key_range: KeyRange) -> Iterator[InteractionColumns]:
        return self._pages(key_range, 0, 2**63 - 1)

    def changed(self, key_range: KeyRange, since_ms: int) -> Iterator[InteractionColumns]:
        yield from self._pages(key_range, imported_at(since_ms), IMPORTED_BELOW)
        yield from self._pages(key_range, since_ms, 2**63 - 1)

    def _pages(
        self, key_range: KeyRange, start_ms: int, end_ms: int
    ) -> Iterator[InteractionColumns]:
        inside = [
            row
            for key, row in sorted(self.rows.items())
            if key >= key_range.start
            and (not key_range.stop or key < key_range.stop)
            and start_ms <= row[1] < end_ms
        ]
        for start in range(0, len(inside), _PAGE_ROWS):
            yield _columns(inside[start : start + _PAGE_ROWS])


def _key(event: Event) -> bytes:
    return row_key(event.user_id, event.timestamp_ms, event.event_id)


def _columns(rows: list[tuple[Event, int]]) -> InteractionColumns:
    events = [event for event, _ in rows]
    names = ("quantity", "price", "order_id", "rating")
    return InteractionColumns(
        user_ids=[event.user_id.encode() for event in events],
        item_ids=[event.item_id.encode() for event in events],
        event_types=[event.event_type.encode() for event in events],
        timestamps_ms=np.array([event.timestamp_ms for event in events], np.int64),
        event_ids=[event.event_id.encode() for event in events],
        written_ms=np.array([written_ms for _, written_ms in rows], np.int64),
        details=[
            {name: value for name in names if (value := getattr(event, name)) is not None}
            for event in events
        ],
        contexts=None,
    )
