"""Writing events: each id once, in cells that say when the event was received."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from uuid import uuid4

from recsys.core.domain import Event, ReceivedEvent
from recsys.core.errors import Unavailable
from recsys.core.ports import AppendResult
from recsys.stores.hbase import keys
from recsys.stores.hbase.cells import Cells, event_cells
from recsys.stores.hbase.event_ids import Claim, EventIds
from recsys.stores.hbase.layout import (
    ACTION,
    EVENT_IDS,
    INTERACTIONS,
    imported_at,
    is_imported,
    table_name,
)
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import Table

# A write begins at most this long after its event was received: a nightly run counts on what it
# scans holding all that was received some time before. Clients wait for 5 s; a large batch on a
# busy HBase goes on, so that all of it is there when they come again.
WRITE_SECONDS = 10.0
# The same of imported events, whose batches wait for a restart of HBase at every step. A nightly
# run reads again what was imported an hour before the last one.
IMPORT_SECONDS = 1800.0
# Claims take most of a large batch's time. What is claimed is stored so many at a time, so that a
# batch that could not be finished has less to do when it is sent again.
_CLAIMS_PER_PUT = 100


class EventWriter:
    """Writes the events of one call to the store.

    Args:
        received_ms: when they came in.
        now_ms: the clock that `received_ms` is of.
        patience_seconds: how long an unavailable HBase is waited for.

    Raises:
        Unavailable: from any method, also when it is too late to write.
    """

    def __init__(
        self,
        pool: HBasePool,
        tenant: str,
        received_ms: int,
        now_ms: Callable[[], int],
        patience_seconds: float = 0.0,
    ) -> None:
        self._rows = Table(pool, table_name(tenant, INTERACTIONS))
        self._ids = EventIds(Table(pool, table_name(tenant, EVENT_IDS)), patience_seconds)
        self._received_ms = received_ms
        self._now_ms = now_ms
        self._patience_seconds = patience_seconds
        self._claimant = uuid4().hex

    def write(self, given: Iterable[Event], made: Iterable[Event] = ()) -> dict[str, AppendResult]:
        """Write events, claiming the ids of the given ones; what became of each id.

        Args:
            given: events with different ids, which others may have sent too.
            made: events whose ids nobody else can have sent.
        """
        results = self._write_new([ReceivedEvent(event, self._received_ms) for event in made])
        remaining = iter(given)
        while some := list(islice(remaining, _CLAIMS_PER_PUT)):
            results |= self._write_given(some)
        return results

    def _write_new(self, new: Sequence[ReceivedEvent]) -> dict[str, AppendResult]:
        self._put(new)
        return {each.event.event_id: AppendResult(each, is_new=True) for each in new}

    def _write_given(self, events: Sequence[Event]) -> dict[str, AppendResult]:
        claims = self._ids.claim(self._claim(event) for event in events)
        new = [claim.first for claim in claims if claim.claimant == self._claimant]
        earlier = [claim for claim in claims if claim.claimant != self._claimant]
        firsts = [claim.first.event for claim in earlier]
        found = find_stored(self._rows, firsts, self._patience_seconds)
        stored = {each.event.event_id: each for each in found}
        missing = [self._renewed(claim) for claim in earlier if claim.event_id not in stored]
        self._put([*new, *missing])
        results = {each.event.event_id: AppendResult(each, is_new=True) for each in new}
        for each in (*stored.values(), *missing):
            results[each.event.event_id] = AppendResult(each, is_new=False)
        return results

    def _claim(self, event: Event) -> Claim:
        return Claim(ReceivedEvent(event, self._received_ms), self._claimant)

    def _renewed(self, claim: Claim) -> ReceivedEvent:
        """The event of a claim, received now if its claimant cannot be about to write it."""
        if self._may_write(claim.first.received_ms):
            return claim.first
        return self._ids.renew(claim, self._claim(claim.first.event)).first

    def _put(self, received: Iterable[ReceivedEvent]) -> None:
        by_arrival: defaultdict[int, list[Event]] = defaultdict(list)
        for each in received:
            by_arrival[each.received_ms].append(each.event)
        for received_ms, events in by_arrival.items():
            if not self._may_write(received_ms):
                raise Unavailable("hbase", "it took too long to claim event ids")
            self._rows.put(
                map(event_row, events),
                written_ms=received_ms,
                patience_seconds=self._patience_seconds,
            )

    def _may_write(self, received_ms: int) -> bool:
        now_ms = self._now_ms()
        if is_imported(received_ms):
            return imported_at(now_ms) - received_ms <= IMPORT_SECONDS
        return now_ms - received_ms <= WRITE_SECONDS * 1000


def event_row(event: Event) -> tuple[bytes, Cells]:
    """Key and cells of the row that an event is."""
    return row_key_of(event), event_cells(event)


def find_stored(
    table: Table, events: Iterable[Event], patience_seconds: float = 0.0
) -> list[ReceivedEvent]:
    """Those of these events that are stored, each once, with the arrival that their cells name."""
    rows = {row_key_of(event): event for event in events}
    cells = table.cells(list(rows), ACTION, patience_seconds)
    return [
        ReceivedEvent(event, cells[key].written_ms) for key, event in rows.items() if key in cells
    ]


def row_key_of(event: Event) -> bytes:
    """Key of the row that an event is."""
    return keys.row_key(event.user_id, event.timestamp_ms, event.event_id)
