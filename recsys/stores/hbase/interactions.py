"""Behaviour in HBase."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from recsys.core.domain import Event
from recsys.stores.hbase import keys
from recsys.stores.hbase.cells import decode_details, event_cells, split_action
from recsys.stores.hbase.layout import ACTION, DETAILS, INTERACTIONS, table_name
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import BULK_PATIENCE_SECONDS, KeyRange, Page, Table

# Requests read a user's newest events, rarely more than these.
_PAGE_ROWS = 500


class HBaseInteractionStore:
    """`InteractionStore` on HBase.

    Durable means: in the write-ahead log of the region server, flushed to its file system, so it
    survives the death of any process. Surviving a power cut of all replicas at once needs
    `hbase.wal.hsync=true` on the servers.

    Two calls that append the same new event at the same moment may both report it as new; it is
    still stored once.
    """

    def __init__(self, pool: HBasePool) -> None:
        self._pool = pool

    def append(self, tenant: str, events: Sequence[Event]) -> list[bool]:
        table = self._table(tenant)
        row_keys = [_row_key(event) for event in events]
        seen = table.existing(row_keys, ACTION)
        is_new = []
        for key in row_keys:
            is_new.append(key not in seen)
            seen.add(key)
        new_events = zip(row_keys, events, is_new, strict=True)
        table.put((key, event_cells(event)) for key, event, new in new_events if new)
        return is_new

    def put_many(self, tenant: str, events: Iterable[Event]) -> int:
        """Store events without asking which are new: for bulk loads, several times faster.

        The same event again writes the same row again. Waits out a server's restart. Durable on
        return; returns how many.

        Raises:
            Unavailable: nothing may be assumed stored; sending the same events again is safe.
        """
        rows = ((_row_key(event), event_cells(event)) for event in events)
        return self._table(tenant).put(rows, patience_seconds=BULK_PATIENCE_SECONDS)

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
        pages = self._table(tenant).scan(key_range, [ACTION, DETAILS], page_rows=page_rows)
        for page in pages:
            events.extend(_events(page))
            if limit is not None and len(events) >= limit:
                break
        return events[:limit]

    def find(
        self, tenant: str, user_id: str, event_ids: Collection[str], since_ms: int
    ) -> dict[str, int]:
        key_range = KeyRange(*keys.row_range(user_id, since_ms, None))
        wanted = {event_id.encode() for event_id in event_ids}
        found: dict[str, int] = {}
        for page in self._table(tenant).scan(key_range, [ACTION], page_rows=_PAGE_ROWS):
            decoded = keys.decode(page.keys)
            for event_id, timestamp_ms in zip(
                decoded.event_ids, decoded.timestamps_ms.tolist(), strict=True
            ):
                if event_id in wanted:
                    # Rows come newest first, and the newest is the one that counts.
                    found.setdefault(event_id.decode(), timestamp_ms)
            if len(found) == len(wanted):
                break
        return found

    def _table(self, tenant: str) -> Table:
        return Table(self._pool, table_name(tenant, INTERACTIONS))


def _row_key(event: Event) -> bytes:
    return keys.row_key(event.user_id, event.timestamp_ms, event.event_id)


def _events(page: Page) -> Iterator[Event]:
    decoded = keys.decode(page.keys)
    for user_id, timestamp_ms, event_id, action, details in zip(
        decoded.user_ids,
        decoded.timestamps_ms.tolist(),
        decoded.event_ids,
        page.columns[ACTION],
        page.columns[DETAILS],
        strict=True,
    ):
        event_type, item_id = split_action(action or b"")
        yield Event(
            event_id=event_id.decode(),
            user_id=user_id.decode(),
            item_id=item_id.decode(),
            event_type=event_type.decode(),
            timestamp_ms=timestamp_ms,
            **decode_details(details),
        )
