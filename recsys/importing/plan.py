"""Plan of an import: reader, conversion of rows to records, and their store."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from recsys.core.domain import Event
from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventTypes
from recsys.core.ports import ItemStore, LiveCatalogue
from recsys.importing import online_retail
from recsys.importing.bulk_writer import Stored
from recsys.importing.columns import EVENT_FIELDS
from recsys.importing.converted import BatchReader, Sliceable
from recsys.importing.equal_rows import EqualRows
from recsys.importing.event_batch import EventBatch
from recsys.importing.event_columns import EventOptions, EventReader
from recsys.importing.event_objects import events_of
from recsys.importing.file_format import open_source
from recsys.importing.header import columns_explained
from recsys.importing.item_merging import ItemMerger
from recsys.importing.item_rows import ItemOptions, ItemReader, ItemRow
from recsys.importing.partitioned_source import partition_of
from recsys.importing.presets import LAYOUTS, Preset, given_over
from recsys.importing.read_options import ReadOptions
from recsys.importing.source import RowReader

_Records = TypeVar("_Records", bound=Sliceable)

# Two keep the server busy; a third covers the pauses between batches.
_EVENT_WRITERS = 3
# Rows of one item are merged in the order of the file.
_ITEM_WRITERS = 1
# Part of what a finished import is known by: to be raised when files are read differently, so that
# those which were read before can be imported again.
_READING_VERSION = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """Options for reading one file.

    Attributes:
        path: the file.
        how: how its rows are written.
        events, items: how its columns become the one or the other.
        preset: a known layout; what is given here goes before its options.
    """

    path: Path
    how: ReadOptions = field(default_factory=ReadOptions)
    events: EventOptions = field(default_factory=EventOptions)
    items: ItemOptions = field(default_factory=ItemOptions)
    preset: Preset | None = None

    def with_preset(self) -> "Reading":
        """The same with the options of the preset where none were given."""
        if self.preset is None:
            return self
        layout = LAYOUTS[self.preset]
        return replace(
            self,
            how=given_over(layout.how, self.how),
            events=given_over(layout.events, self.events),
            items=given_over(layout.items, self.items),
        )


class BulkEventStore(Protocol):
    """The part of `InteractionStore` that imports need."""

    def put_many(self, tenant: str, events: Iterable[Event], *, ids_given: bool) -> int: ...


@dataclass(frozen=True, slots=True)
class ImportPlan(Generic[_Records]):
    """A file ready to be imported.

    Attributes:
        kind: "events" or "items".
        path: the file.
        source: its rows.
        reader: makes records of its batches.
        store: stores records durably.
        how: everything besides the content that decides what is stored.
        writers: threads that store.
        is_skipped_when_known: a file that was imported before has nothing to say any more.
    """

    kind: str
    path: Path
    source: RowReader
    reader: BatchReader[_Records]
    store: Callable[[_Records], Stored]
    how: Mapping[str, Any]
    writers: int
    is_skipped_when_known: bool


def plan_events(
    reading: Reading, tenant: str, store: BulkEventStore, event_types: EventTypes, now_ms: int
) -> ImportPlan[Any]:
    """
    Raises:
        ConfigurationError: the file cannot be read, or its columns do not make events.
    """
    reading = reading.with_preset()
    source = open_source(reading.path, reading.how)
    reader: BatchReader[Any]
    if reading.preset is Preset.ONLINE_RETAIL:
        _check_preset(reading, source)
        reader = online_retail.OnlineRetailReader(source.columns(), event_types, now_ms)
    else:
        with columns_explained(source, reading.path.name):
            reader = EventReader(
                EVENT_FIELDS, source.columns(), reading.events, event_types, now_ms
            )
    return ImportPlan(
        kind="events",
        path=reading.path,
        source=source,
        reader=reader,
        store=_EventWriter(tenant, store),
        how=_how(reading, "events", reader.columns) | _types_in(reader.columns, event_types),
        writers=_EVENT_WRITERS,
        is_skipped_when_known=True,
    )


def plan_items(
    reading: Reading, tenant: str, store: ItemStore, live: LiveCatalogue
) -> ImportPlan[list[ItemRow]]:
    """Plan to store items, durably first, then where answers are made.

    Raises:
        ConfigurationError: the file cannot be read, or its columns do not make items.
    """
    reading = reading.with_preset()
    source = open_source(reading.path, reading.how)
    if reading.preset is Preset.ONLINE_RETAIL:
        _check_preset(reading, source)
        source = online_retail.OnlineRetailItems(source)
    with columns_explained(source, reading.path.name):
        reader = ItemReader(source.columns(), reading.items)
    return ImportPlan(
        kind="items",
        path=reading.path,
        source=source,
        reader=reader,
        store=ItemMerger(tenant, store, live, update=reading.items.update),
        how=_how(reading, "items", reader.columns),
        writers=_ITEM_WRITERS,
        # The catalogue may have moved on since the same bytes were imported.
        is_skipped_when_known=False,
    )


class _EventWriter:
    """Stores parts of a file's events, called from several threads."""

    def __init__(self, tenant: str, store: BulkEventStore) -> None:
        self._tenant, self._store = tenant, store
        self._rows = EqualRows()

    def __call__(self, records: EventBatch | list[Event]) -> Stored:
        if isinstance(records, list):
            # A preset makes ids from the numbers of lines: nobody else gives them, and to claim
            # each would take several times as long.
            new = self._store.put_many(self._tenant, records, ids_given=False)
            return Stored(new, duplicate=len(records) - new)
        events, ids_given = events_of(records), records.event_ids is not None
        new = self._store.put_many(self._tenant, events, ids_given=ids_given)
        if not ids_given:
            # Ids that follow from the row: equal rows are one event.
            new = self._rows.add([event.event_id for event in events])
        return Stored(new, duplicate=len(events) - new)


def _how(reading: Reading, kind: str, columns: Mapping[str, str]) -> dict[str, Any]:
    options = asdict(reading)
    del options["path"]
    if partition := partition_of(reading.path):
        # Files of two days may be equal in all but the name of their folder.
        options["partition"] = partition
    return {"version": _READING_VERSION, "kind": kind, "columns": dict(columns), **options}


def _types_in(columns: Mapping[str, str], event_types: EventTypes) -> dict[str, Any]:
    """What of the shop's event types decides which events of a file are stored, and how."""
    found: dict[str, Any] = {"event_types": sorted(event_types)}
    if "rating" in columns:
        found["ratings"] = {
            name: (kind.rating_scale, kind.rating_counts)
            for name, kind in event_types.items()
            if kind.rating_scale
        }
    return found


def _check_preset(reading: Reading, source: RowReader) -> None:
    if reading.events.mapping or reading.items.mapping:
        raise ConfigurationError("this preset knows its columns: leave --mapping out")
    missing = online_retail.missing_columns(source.columns())
    if missing:
        raise ConfigurationError(
            f"{reading.path.name} is not Online Retail II: it has no column {', '.join(missing)}; "
            f"it has: {', '.join(source.columns())}"
        )
