"""Plan of an import: reader, conversion of rows to records, and their store."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from recsys.core.domain import Event, Item
from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventTypes, check_event
from recsys.core.live_catalogue import copy_items
from recsys.core.ports import ItemStore, LiveCatalogue
from recsys.importing import online_retail
from recsys.importing.columns import EVENT_FIELDS, ITEM_FIELDS, resolve
from recsys.importing.convert import EventConverter, ItemConverter, Values
from recsys.importing.file_format import FileFormat, open_source
from recsys.importing.source import RowReader

_Record = TypeVar("_Record")


class Preset(StrEnum):
    """Files whose layout is known."""

    ONLINE_RETAIL = "online-retail"


@dataclass(frozen=True, slots=True)
class Reading:
    """Options for reading one file.

    Attributes:
        path: the file.
        file_format: how its rows are written.
        mapping: "COLUMN=FIELD" each; fields not named are found by the names of the columns.
        preset: a known layout, which needs no mapping.
        event_type: the type of events in a file that has no such column.
    """

    path: Path
    file_format: FileFormat = FileFormat.AUTO
    mapping: tuple[str, ...] = ()
    preset: Preset | None = None
    event_type: str | None = None


class BulkEventStore(Protocol):
    """The part of `InteractionStore` that imports need."""

    def put_many(self, tenant: str, events: Iterable[Event], *, ids_given: bool) -> int: ...


@dataclass(frozen=True, slots=True)
class ImportPlan(Generic[_Record]):
    """A file ready to be imported.

    Attributes:
        kind: "events" or "items".
        path: the file.
        source: its rows.
        convert: makes a record of a row; raises InvalidInput to reject and Skipped to skip it.
        store: stores records durably and returns how many were new.
        how: everything besides the content that decides what is stored.
        is_skipped_when_known: a file that was imported before has nothing to say any more.
    """

    kind: str
    path: Path
    source: RowReader
    convert: Callable[[Values], _Record]
    store: Callable[[list[_Record]], int]
    how: Mapping[str, Any]
    is_skipped_when_known: bool


def plan_events(
    reading: Reading, tenant: str, store: BulkEventStore, event_types: EventTypes, now_ms: int
) -> ImportPlan[Event]:
    """
    Raises:
        ConfigurationError: the file cannot be read, or its columns do not make events.
    """
    source = open_source(reading.path, reading.file_format)
    convert, how = _event_converter(reading, source)

    def checked(values: Values) -> Event:
        event = convert(values)
        check_event(event, event_types, now_ms)
        return event

    return ImportPlan(
        kind="events",
        path=reading.path,
        source=source,
        convert=checked,
        # Ids that the importer makes follow from the row: equal ones are the same event.
        store=partial(store.put_many, tenant, ids_given="event_id" in how.get("columns", ())),
        how={"kind": "events", **how},
        is_skipped_when_known=True,
    )


def plan_items(
    reading: Reading, tenant: str, store: ItemStore, live: LiveCatalogue
) -> ImportPlan[Item]:
    """Plan to store items whole, durably first, then where answers are made.

    Raises:
        ConfigurationError: the file cannot be read, or its columns do not make items.
    """
    source = open_source(reading.path, reading.file_format)
    how: dict[str, Any] = {"preset": reading.preset}
    if reading.preset is Preset.ONLINE_RETAIL:
        _check_preset(reading, source)
        source = online_retail.OnlineRetailItems(source)
    columns = resolve(ITEM_FIELDS, source.columns(), reading.mapping)

    def put(items: list[Item]) -> int:
        stored = store.put(tenant, items)
        copy_items(store, live, tenant, {item.item_id for item in items})
        return stored

    return ImportPlan(
        kind="items",
        path=reading.path,
        source=source,
        convert=ItemConverter(columns),
        store=put,
        how={"kind": "items", "columns": columns, **how},
        # The catalogue may have moved on since the same bytes were imported.
        is_skipped_when_known=False,
    )


def _event_converter(
    reading: Reading, source: RowReader
) -> tuple[Callable[[Values], Event], dict[str, Any]]:
    if reading.preset is Preset.ONLINE_RETAIL:
        _check_preset(reading, source)
        return online_retail.OnlineRetailEvents(), {"preset": reading.preset}
    constants = ["event_type"] if reading.event_type else []
    columns = resolve(EVENT_FIELDS, source.columns(), reading.mapping, constants)
    how = {"columns": columns, "event_type": reading.event_type}
    return EventConverter(columns, reading.event_type), how


def _check_preset(reading: Reading, source: RowReader) -> None:
    if reading.mapping:
        raise ConfigurationError("a preset knows its columns: leave --mapping out")
    found = source.columns()
    missing = [column for column in online_retail.COLUMNS if column not in found]
    if missing:
        raise ConfigurationError(
            f"{reading.path.name} is not Online Retail II: it has no column {', '.join(missing)}; "
            f"it has: {', '.join(found)}"
        )
