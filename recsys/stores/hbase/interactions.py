"""Behaviour in HBase."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from recsys.clock import utc_now_ms
from recsys.core.domain import Event, ReceivedEvent
from recsys.core.ports import AppendResult
from recsys.stores.hbase import keys
from recsys.stores.hbase.cells import decode_context, decode_details, split_action
from recsys.stores.hbase.event_ids import EventIds
from recsys.stores.hbase.event_writer import EventWriter, event_row, find_stored, row_key_of
from recsys.stores.hbase.layout import (
    ACTION,
    CONTEXT,
    DETAILS,
    EVENT_IDS,
    INTERACTIONS,
    REMOVALS,
    imported_at,
    is_imported,
    table_name,
)
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.removals import Removals
from recsys.stores.hbase.table import (
    BATCH_ROWS,
    BULK_PATIENCE_SECONDS,
    KeyRange,
    Page,
    Table,
)

# Requests read a user's newest events, rarely more than these.
_PAGE_ROWS = 500
_COLUMNS = (ACTION, DETAILS, CONTEXT)


class HBaseInteractionStore:
    """`InteractionStore` on HBase.

    Durable means: in the write-ahead log of the region server, flushed to its file system, so it
    survives the death of any process. Surviving a power cut of all replicas at once needs
    `hbase.wal.hsync=true` on the servers.
    """

    def __init__(self, pool: HBasePool) -> None:
        self._pool = pool

    def append(
        self,
        tenant: str,
        events: Sequence[Event],
        received_ms: int,
        made_ids: Collection[str] = (),
    ) -> list[AppendResult]:
        started = time.monotonic()

        def now_ms() -> int:
            return received_ms + int((time.monotonic() - started) * 1000)

        firsts = _first_of_each_id(events)
        results = EventWriter(self._pool, tenant, received_ms, now_ms).write(
            given=[event for event in firsts if event.event_id not in made_ids],
            made=[event for event in firsts if event.event_id in made_ids],
        )
        answers = []
        for event in events:
            answers.append(results[event.event_id])
            # Another one of this id in the batch is no longer new.
            results[event.event_id] = replace(answers[-1], is_new=False)
        return answers

    def put_many(self, tenant: str, events: Iterable[Event], *, ids_given: bool) -> int:
        remaining, new = iter(events), 0
        while batch := list(islice(remaining, BATCH_ROWS)):
            writer = EventWriter(
                self._pool, tenant, imported_at(utc_now_ms()), utc_now_ms, BULK_PATIENCE_SECONDS
            )
            if ids_given:
                results = writer.write(_first_of_each_id(batch))
                new += sum(result.is_new for result in results.values())
            else:
                writer.write((), made=batch)
                new += len(batch)
        return new

    def reassign(
        self, tenant: str, events: Sequence[Event], user_id: str, received_ms: int
    ) -> None:
        moved = [replace(event, user_id=user_id) for event in events]
        self._table(tenant).put(map(event_row, moved), written_ms=received_ms)
        # Then whoever sends one of them again finds the other user's, which is there.
        EventIds(Table(self._pool, table_name(tenant, EVENT_IDS))).reassign(events, user_id)

    def remove(self, tenant: str, events: Sequence[Event], removed_ms: int) -> None:
        self._remove(tenant, find_stored(self._table(tenant), events), removed_ms)

    def erase(self, tenant: str, events: Sequence[Event], removed_ms: int) -> None:
        found = find_stored(self._table(tenant), events)
        self._remove(tenant, found, removed_ms, with_ids=True)

    def remove_imported(self, tenant: str, events: Sequence[Event], removed_ms: int) -> int:
        found = find_stored(self._table(tenant), events, BULK_PATIENCE_SECONDS)
        imported = [each for each in found if is_imported(each.received_ms)]
        self._remove(tenant, imported, removed_ms, BULK_PATIENCE_SECONDS, with_ids=True)
        return len(imported)

    def _remove(
        self,
        tenant: str,
        found: Sequence[ReceivedEvent],
        removed_ms: int,
        patience_seconds: float = 0.0,
        *,
        with_ids: bool = False,
    ) -> None:
        events = [each.event for each in found]
        # First: whoever keeps a snapshot of behaviour must hear of what may be gone.
        removals = Removals(Table(self._pool, table_name(tenant, REMOVALS)))
        removals.record({event.user_id for event in events}, removed_ms, patience_seconds)
        if with_ids:
            # Before the events: these say which ids, to whoever has to do it again.
            ids = Table(self._pool, table_name(tenant, EVENT_IDS))
            EventIds(ids, patience_seconds).forget(events)
        # Up to what was found and no further: an event that comes back at once, by a merge or from
        # a file, must not be hidden.
        for is_import in (True, False):
            those = [each for each in found if is_imported(each.received_ms) == is_import]
            self._table(tenant).delete(
                [row_key_of(each.event) for each in those],
                _COLUMNS,
                written_until_ms=max((each.received_ms for each in those), default=0),
                patience_seconds=patience_seconds,
            )

    def history(
        self,
        tenant: str,
        user_id: str,
        *,
        start_ms: int = 0,
        end_ms: int | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        page_rows = _PAGE_ROWS if limit is None else max(1, min(limit, _PAGE_ROWS))
        key_range = KeyRange(*keys.row_range(user_id, start_ms, end_ms))
        events: list[Event] = []
        pages = self._table(tenant).scan(key_range, _COLUMNS, page_rows=page_rows)
        for page in pages:
            events.extend(_events(page))
            if limit is not None and len(events) >= limit:
                break
        return events[:limit]

    def _table(self, tenant: str) -> Table:
        return Table(self._pool, table_name(tenant, INTERACTIONS))


def _first_of_each_id(events: Iterable[Event]) -> list[Event]:
    firsts: dict[str, Event] = {}
    for event in events:
        firsts.setdefault(event.event_id, event)
    return list(firsts.values())


def _events(page: Page) -> Iterator[Event]:
    decoded = keys.decode(page.keys)
    for user_id, timestamp_ms, event_id, action, details, context in zip(
        decoded.user_ids,
        decoded.timestamps_ms.tolist(),
        decoded.event_ids,
        page.columns[ACTION],
        page.columns[DETAILS],
        page.columns[CONTEXT],
        strict=True,
    ):
        event_type, item_id = split_action(action or b"")
        yield Event(
            event_id=event_id.decode(),
            user_id=user_id.decode(),
            item_id=item_id.decode(),
            event_type=event_type.decode(),
            timestamp_ms=timestamp_ms,
            context=decode_context(context),
            **decode_details(details),
        )
