"""From a file to an event log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.config.shop import Shop
from recsys.core.errors import NoData
from recsys.core.event_types import EventType
from recsys.evaluation.files.columnar import REQUIRED, open_batches, refusal
from recsys.evaluation.files.values import (
    UnreadableValue,
    read_ids,
    read_timestamps_ms,
    read_values,
)
from recsys.training.event_log import EventLog

_Read = TypeVar("_Read")
# What an event of a file without types is: it counts once, and is what the model is judged by.
_ONLY_TYPE = EventType(1.0, excludes=True)


@dataclass(frozen=True)
class EventFile:
    """The events of a file; `left_out` rows have no user or no item."""

    log: EventLog
    left_out: int


@dataclass
class _Columns:
    """Columns read so far, a batch an entry."""

    ids: dict[str, list[pa.DictionaryArray]] = field(default_factory=dict)
    values: list[NDArray[np.float32]] = field(default_factory=list)
    timestamps_ms: list[NDArray[np.int64]] = field(default_factory=list)


def read_event_file(
    path: Path, shop: Shop, now_ms: int, on_rows: Callable[[int], None] = lambda _: None
) -> EventFile:
    """Read a file whose columns are named as in `recsys evaluate --help`.

    Args:
        shop: the types of event and what they count, for a file with a column event_type.
        now_ms: no event may be more than a day ahead of it, as with `recsys import`.
        on_rows: called with the number of rows read so far.

    Raises:
        InvalidInput: naming the file, the row and the value at fault: what the import refuses.
        NoData: when no row has a user and an item.
    """
    columns, rows, kept = _Columns(), 0, 0
    for batch in open_batches(path):
        places = _with_ids(batch)
        if len(places):
            whole = batch if len(places) == len(batch) else batch.take(pa.array(places))
            _read_batch(path, whole, rows + 1 + places, now_ms, columns)
        rows, kept = rows + len(batch), kept + len(places)
        on_rows(rows)
    if not kept:
        raise NoData(f"{path.name} has no row with a user_id and an item_id")
    log = _log(path, columns, shop)
    return EventFile(log, rows - len(log))


def _with_ids(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Places of the rows that have a user and an item; NaN is what tables put for neither."""
    missing = [pc.is_null(batch[name], nan_is_null=True) for name in REQUIRED]
    return np.flatnonzero(~pc.or_(*missing).to_numpy(zero_copy_only=False))


def _read_batch(
    path: Path, batch: pa.RecordBatch, rows: NDArray[np.int64], now_ms: int, columns: _Columns
) -> None:
    """Add the columns of a batch, whose rows have these numbers in the file."""

    def read(name: str, reader: Callable[[pa.Array], _Read]) -> _Read:
        try:
            return reader(batch[name])
        except UnreadableValue as error:
            where = f"{name} near row {rows[error.place]:,}"
            raise refusal(path, f"{where} {error}{_shown(batch[name][error.place])}") from error

    for name in batch.schema.names:
        if name == "value":
            columns.values.append(read(name, read_values))
        elif name == "timestamp":
            columns.timestamps_ms.append(
                read(name, lambda column: read_timestamps_ms(column, now_ms))
            )
        else:
            columns.ids.setdefault(name, []).append(read(name, read_ids))


def _shown(value: pa.Scalar) -> str:
    """The value for a message, cut to a line; nothing where there is none."""
    found = value.as_py()
    if found is None:
        return ""
    return f": {found!r:.80}" if isinstance(found, str) else f": {found!s:.80}"


def _log(path: Path, columns: _Columns, shop: Shop) -> EventLog:
    user_ids, users = _coded(columns.ids["user_id"])
    item_ids, items = _coded(columns.ids["item_id"])
    kinds, goals, types = _types(path, shop, columns.ids.get("event_type"), len(users))
    values = columns.values
    log = EventLog(
        user_ids=user_ids,
        item_ids=item_ids,
        users=users,
        items=items,
        values=np.concatenate(values) if values else np.ones(len(users), np.float32),
        types=types,
        event_types=kinds,
        target_types=goals,
        timestamps_ms=np.concatenate(columns.timestamps_ms) if columns.timestamps_ms else None,
    )
    blank = (users < 0) | (items < 0)
    return log.only(~blank) if blank.any() else log


def _types(
    path: Path, shop: Shop, chunks: list[pa.DictionaryArray] | None, rows: int
) -> tuple[tuple[EventType, ...], tuple[bool, ...], NDArray[np.int16]]:
    if chunks is None:
        return (_ONLY_TYPE,), (True,), np.zeros(rows, np.int16)
    names, codes = _coded(chunks)
    if (codes < 0).any():
        raise refusal(path, "a row has no event_type")
    if unknown := [name for name in names if name not in shop.event_types]:
        known = ", ".join(sorted(shop.event_types))
        reason = f"event_type {unknown[0]!r} is not one of: {known} (the shop's settings)"
        raise refusal(path, reason)
    kinds = tuple(shop.event_types[name] for name in names)
    return kinds, tuple(name in shop.target_types for name in names), codes.astype(np.int16)


def _coded(chunks: list[pa.DictionaryArray]) -> tuple[list[str], NDArray[np.int32]]:
    """Distinct ids without space around them, and each row's position in these; -1 where blank."""
    together = pa.chunked_array(chunks).unify_dictionaries().combine_chunks()
    codes = pc.fill_null(together.indices, -1).to_numpy(zero_copy_only=False)
    found: dict[str, int] = {}
    places = np.fromiter(_places(together.dictionary.to_pylist(), found), np.int32)
    if len(found) == len(places):
        return list(found), codes
    return list(found), np.append(places, np.int32(-1))[codes]


def _places(ids: list[str], found: dict[str, int]) -> Iterator[int]:
    for text in ids:
        stripped = text.strip()
        yield found.setdefault(stripped, len(found)) if stripped else -1
