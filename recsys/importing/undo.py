"""Undoing the import of a file of events, such as one with the wrong column as its user."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from recsys.clock import utc_now_ms
from recsys.core.domain import Event
from recsys.core.errors import DamagedFile
from recsys.importing.bulk_writer import BulkWriter, Stored, Tally
from recsys.importing.event_batch import EventBatch
from recsys.importing.event_objects import events_of
from recsys.importing.ledger import ImportLedger, digest_of
from recsys.importing.plan import ImportPlan
from recsys.importing.source import BadRow


class ImportedEvents(Protocol):
    """The part of `InteractionStore` that undoing needs."""

    def remove_imported(self, tenant: str, events: Sequence[Event], removed_ms: int) -> int: ...


def undo(
    plan: ImportPlan[Any],
    tenant: str,
    store: ImportedEvents,
    ledger: ImportLedger,
    tally: Tally,
    observe: Callable[[int], None],
) -> bool:
    """Remove what importing a file stored; the same options make the same events of it.

    Of `tally`, `stored` counts the events that were removed, and `duplicate` the rows of which
    nothing was left to remove. Stopped at any moment and run again, it ends with the same events
    gone.

    Returns:
        Whether the file was known as imported; it no longer is.

    Raises:
        Unavailable: the store went away for longer than a restart takes.
    """
    # First: a file of which something may be gone can be imported again.
    was_known = ledger.forget(tenant, digest_of(plan.path, plan.how))

    def remove(records: EventBatch | list[Event]) -> Stored:
        events = records if isinstance(records, list) else events_of(records)
        removed = store.remove_imported(tenant, events, utc_now_ms())
        return Stored(removed, duplicate=len(events) - removed)

    # The import went no further either.
    with suppress(DamagedFile):
        BulkWriter(plan.reader, remove, _NoRejects(), plan.writers, stops_early=False).run(
            plan.source, tally, observe
        )
    return was_known


class _NoRejects:
    """Keeps nothing: the file of what the import rejected stays as it is."""

    def write(self, rows: Iterable[BadRow]) -> None: ...
