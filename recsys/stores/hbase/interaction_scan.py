"""Reading all behaviour of a tenant in parallel, as columns: the way into training."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from recsys.core.domain import Event, ReceivedEvent
from recsys.stores.hbase import keys
from recsys.stores.hbase.cells import decode_context, decode_details, split_action
from recsys.stores.hbase.layout import (
    ACTION,
    CONTEXT,
    DETAILS,
    IMPORTED_BELOW,
    INTERACTIONS,
    WITNESS,
    imported_at,
    table_name,
    witness_key,
)
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import BULK_PATIENCE_SECONDS, KeyRange, Page, Table
from recsys.stores.hbase.time_range_scan import TimeRangeScan, WrittenRange


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The events with start_ms <= time < end_ms; without an end it goes to the newest event."""

    start_ms: int = 0
    end_ms: int | None = None

    def mask(self, timestamps_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Mark the events with these times that lie in the window."""
        inside = timestamps_ms >= self.start_ms
        if self.end_ms is not None:
            inside &= timestamps_ms < self.end_ms
        return inside


@dataclass(frozen=True, slots=True)
class InteractionColumns:
    """n events as columns; ids and types are utf-8 bytes.

    `details` and `contexts` are None unless asked for.

    Attributes:
        written_ms: when they were received, or `layout.imported_at` of when they were imported.
    """

    user_ids: list[bytes]
    item_ids: list[bytes]
    event_types: list[bytes]
    timestamps_ms: NDArray[np.int64]
    event_ids: list[bytes]
    written_ms: NDArray[np.int64]
    details: list[dict[str, object]] | None
    contexts: list[dict[str, str]] | None


class InteractionScan:
    """All of a tenant's behaviour.

    Raises:
        Unavailable: from any method, when HBase stays away for longer than a restart takes.
        ConfigurationError: the tenant has no tables.
    """

    def __init__(self, pool: HBasePool, tenant: str) -> None:
        self._table = Table(pool, table_name(tenant, INTERACTIONS))

    def ranges(self) -> list[KeyRange]:
        """Key ranges that together are the whole table, one a region: the units of parallelism."""
        return self._table.regions()

    def read(
        self,
        key_range: KeyRange,
        window: TimeWindow,
        *,
        with_details: bool = False,
        with_contexts: bool = False,
    ) -> Iterator[InteractionColumns]:
        """Read the events of a key range that lie in the window, a few thousand at a time.

        Without details and contexts HBase sends one small cell a row.
        """
        columns = [ACTION, *[DETAILS] * with_details, *[CONTEXT] * with_contexts]
        pages = self._table.scan(key_range, columns, patience_seconds=BULK_PATIENCE_SECONDS)
        for page in pages:
            yield _columns(page, window)

    def read_received(
        self, key_range: KeyRange, received_ms: int, dated_ms: int, *, with_details: bool = False
    ) -> Iterator[list[ReceivedEvent]]:
        """Read the events that were received, or are dated, no earlier than these times.

        An event that was imported counts as received before all others.
        """
        columns = [ACTION, DETAILS] if with_details else [ACTION]
        for page in self._table.scan(key_range, columns, patience_seconds=BULK_PATIENCE_SECONDS):
            decoded = keys.decode(page.keys)
            written_ms = np.array(page.written_ms, np.int64)
            wanted = (written_ms >= received_ms) | (decoded.timestamps_ms >= dated_ms)
            found = [_received(page, decoded, row) for row in np.flatnonzero(wanted).tolist()]
            if found:
                yield found


class ChangedInteractions:
    """What was written of a tenant's behaviour since a moment; for one thread, to be closed.

    Raises:
        Unavailable, NotSetUp: from any method, see `TimeRangeScan`.
    """

    def __init__(self, thrift2_address: str, tenant: str) -> None:
        self._scan = TimeRangeScan(thrift2_address, table_name(tenant, INTERACTIONS))

    def mark(self, keeper: str) -> str | None:
        """Read a keeper's mark, see `recsys.stores.hbase.witness`; None where there is none."""
        value = self._scan.get(witness_key(keeper), WITNESS)
        return None if value is None else value.decode()

    def read(self, key_range: KeyRange, since_ms: int) -> Iterator[InteractionColumns]:
        """Read, with details, the events that were imported or received since a moment.

        What is imported has a range of timestamps of its own. It is read first: of an event that
        came in both ways, what counts is the later timestamp, which is that of its arrival.
        """
        imported = WrittenRange(imported_at(since_ms), IMPORTED_BELOW)
        for written in (imported, WrittenRange(since_ms)):
            # An event's cells are written together, with one timestamp.
            for page in self._scan.pages(key_range, [ACTION, DETAILS], written):
                yield _columns(page, TimeWindow())

    def close(self) -> None:
        self._scan.close()


def _received(page: Page, decoded: keys.DecodedKeys, row: int) -> ReceivedEvent:
    event_type, item_id = split_action(page.columns[ACTION][row] or b"")
    details = decode_details(page.columns[DETAILS][row] if DETAILS in page.columns else None)
    event = Event(
        event_id=decoded.event_ids[row].decode(),
        user_id=decoded.user_ids[row].decode(),
        item_id=item_id.decode(),
        event_type=event_type.decode(),
        timestamp_ms=int(decoded.timestamps_ms[row]),
        **details,
    )
    return ReceivedEvent(event, page.written_ms[row])


def _columns(page: Page, window: TimeWindow) -> InteractionColumns:
    decoded = keys.decode(page.keys)
    written_ms = np.array(page.written_ms, np.int64)
    inside = window.mask(decoded.timestamps_ms)
    actions = [split_action(cell or b"") for cell in compress(page.columns[ACTION], inside)]
    details = None
    if DETAILS in page.columns:
        details = [decode_details(cell) for cell in compress(page.columns[DETAILS], inside)]
    contexts = None
    if CONTEXT in page.columns:
        contexts = [decode_context(cell) for cell in compress(page.columns[CONTEXT], inside)]
    return InteractionColumns(
        user_ids=list(compress(decoded.user_ids, inside)),
        item_ids=[item_id for _, item_id in actions],
        event_types=[event_type for event_type, _ in actions],
        timestamps_ms=decoded.timestamps_ms[inside],
        event_ids=list(compress(decoded.event_ids, inside)),
        written_ms=written_ms[inside],
        details=details,
        contexts=contexts,
    )
