"""From files to an event log, read as `recsys import` reads them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.config.shop import Shop
from recsys.core.errors import FieldProblem, InvalidInput, NoData
from recsys.core.event_types import EventType, details_that_count
from recsys.evaluation.files.checked_rows import checked_records
from recsys.importing.bulk_writer import Tally
from recsys.importing.column_values import Ids
from recsys.importing.columns import EVENT_FIELDS, Fields, evaluated_fields
from recsys.importing.event_batch import EventBatch
from recsys.importing.event_columns import WITHOUT_IDS, EventOptions, EventReader
from recsys.importing.file_format import open_source
from recsys.importing.header import columns_explained
from recsys.importing.read_options import ReadOptions
from recsys.training.event_log import EventLog

# What an event of a file without types is: it counts once, and is what the model is judged by.
_ONLY_TYPE = EventType(1.0, excludes=True)


@dataclass(frozen=True)
class FileOptions:
    """How files are read.

    Attributes:
        how: how their rows are written.
        events: how their columns become events.
        max_rejected: the share of a file's rows that may break rules, and are left out.
    """

    how: ReadOptions = field(default_factory=ReadOptions)
    events: EventOptions = field(default_factory=EventOptions)
    max_rejected: float = 0.0


@dataclass(frozen=True)
class LoadedEvents:
    """The events of files.

    Attributes:
        left_out: rows that have no user or no item.
        rejected: rows that broke a rule, by reason.
        unused: columns that are no field's.
    """

    log: EventLog
    left_out: int
    rejected: Counter[str]
    unused: tuple[str, ...] = ()


class _Codes:
    """Ids of all batches, each once, and each row's position in them."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._batches: list[NDArray[np.int32]] = []

    def add(self, ids: Ids) -> None:
        places, codes = self._places, np.zeros(len(ids.names), np.int32)
        # Rows that broke a rule may have been all that named an id.
        for number in np.flatnonzero(np.bincount(ids.codes, minlength=len(codes))).tolist():
            codes[number] = places.setdefault(ids.names[number], len(places))
        self._batches.append(codes[ids.codes])

    def names(self) -> list[str]:
        return list(self._places)

    def codes(self) -> NDArray[np.int32]:
        return np.concatenate(self._batches)


@dataclass
class _Columns:
    """Columns read so far, a batch an entry."""

    users: _Codes = field(default_factory=_Codes)
    items: _Codes = field(default_factory=_Codes)
    types: _Codes = field(default_factory=_Codes)
    numbers: list[Mapping[str, NDArray[np.float64]]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    timestamps_ms: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, batch: EventBatch) -> None:
        self.users.add(batch.users)
        self.items.add(batch.items)
        if batch.types is not None:
            self.types.add(batch.types)
        self.numbers.append(batch.numbers)
        self.sizes.append(len(batch))
        if batch.timestamps_ms is not None:
            self.timestamps_ms.append(batch.timestamps_ms)

    def number(self, name: str) -> NDArray[np.float64] | None:
        """(e,) a number of each event, NaN where it has none; None where no event may have one."""
        if not any(name in found for found in self.numbers):
            return None
        parts = zip(self.numbers, self.sizes, strict=True)
        return np.concatenate(
            [found[name] if name in found else np.full(size, np.nan) for found, size in parts]
        )


def read_event_files(
    paths: Sequence[Path],
    shop: Shop,
    now_ms: int,
    options: FileOptions | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> LoadedEvents:
    """Read files with the columns that `recsys evaluate --help` names.

    Args:
        paths: one or more, which may have columns in other places.
        shop: the types of event and what they count, for files that have types.
        now_ms: no event may be more than a day ahead of it, as with `recsys import`.
        on_rows: called with the number of rows read so far.

    Raises:
        InvalidInput: naming the file, and the first row that breaks a rule where too many do.
        ConfigurationError: the file cannot be read, or has not the columns.
        NoData: when no row has a user and an item.
    """
    options = options or FileOptions()
    fields = evaluated_fields(details_that_count(shop.event_types.values()))
    columns, unused, rows = _Columns(), dict[str, None](), 0
    rejected, left_out = Counter[str](), 0
    for path in paths:
        source = open_source(path, options.how)
        with columns_explained(source, path.name):
            reader = EventReader(
                fields,
                source.columns(),
                _with_evaluated_fields(options.events, fields),
                shop.event_types,
                now_ms,
                leaves_out=True,
            )
        tally = Tally()
        for records in checked_records(path, source, reader, options.max_rejected, tally):
            if len(records):
                columns.add(records)
            on_rows(rows + tally.read)
        rows += tally.read
        rejected += tally.rejected
        left_out += tally.skipped[WITHOUT_IDS]
        unused |= dict.fromkeys(reader.unused)
    if not columns.users.names():
        raise NoData(f"{name_of(paths)} has no row with a user_id and an item_id")
    log = _log(name_of(paths), columns, shop)
    return LoadedEvents(log, left_out, rejected, tuple(unused))


def name_of(paths: Sequence[Path]) -> str:
    """Name files in a message."""
    others = len(paths) - 1
    return f"{paths[0].name} and {others} more" if others else paths[0].name


def _with_evaluated_fields(events: EventOptions, fields: Fields) -> EventOptions:
    """The options of an import, with the columns of further fields left out."""

    def entry(text: str) -> str:
        column, _, name = text.rpartition("=")
        return f"{column}=" if EVENT_FIELDS.allows(name) and not fields.allows(name) else text

    return replace(events, mapping=tuple(entry(each) for each in events.mapping))


def _log(files: str, columns: _Columns, shop: Shop) -> EventLog:
    users = columns.users.codes()
    kinds, goals, types = _types(shop, columns.types, len(users))
    values, times = columns.number("value"), columns.timestamps_ms
    log = EventLog(
        user_ids=columns.users.names(),
        item_ids=columns.items.names(),
        users=users,
        items=columns.items.codes(),
        values=_ones_where_missing(values, len(users)),
        types=types,
        event_types=kinds,
        target_types=goals,
        timestamps_ms=np.concatenate(times) if times else None,
        quantities=columns.number("quantity"),
        prices=columns.number("price"),
        ratings=columns.number("rating"),
    )
    for name, some in (("event_type", log.types), ("timestamp", log.timestamps_ms)):
        if some is not None and len(some) != len(users):
            raise InvalidInput([FieldProblem(files, f"some rows have no {name}, others have")])
    return log


def _ones_where_missing(values: NDArray[np.float64] | None, events: int) -> NDArray[np.float32]:
    if values is None:
        return np.ones(events, np.float32)
    return np.where(np.isnan(values), 1.0, values).astype(np.float32)


def _types(
    shop: Shop, types: _Codes, rows: int
) -> tuple[dict[str, EventType], tuple[bool, ...], NDArray[np.int16]]:
    names = types.names()
    if not names:
        return {"": _ONLY_TYPE}, (True,), np.zeros(rows, np.int16)
    kinds = {name: shop.event_types[name] for name in names}
    return kinds, tuple(name in shop.target_types for name in names), types.codes().astype(np.int16)
