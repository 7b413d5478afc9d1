"""From a file to an event log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.core.errors import NoData
from recsys.core.event_types import EventType
from recsys.runtime.shop import Shop
from recsys.training.event_log import EventLog
from spark_jobs.file_evaluation.columnar import REQUIRED, open_batches, refusal
from spark_jobs.file_evaluation.values import (
    UnreadableValue,
    read_ids,
    read_timestamps_ms,
    read_values,
)

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
    """What has been read so far, a batch an entry."""

    ids: dict[str, list[pa.DictionaryArray]] = field(default_factory=dict)
    values: list[NDArray[np.float32]] = field(default_factory=list)
    timestamps_ms: list[NDArray[np.int64]] = field(default_factory=list)


def read_event_file(
    path: Path, shop: Shop, on_rows: Callable[[int], None] = lambda _: None
) -> EventFile:
    """Read a file whose columns are named as in `recsys evaluate --help`.

    Args:
        shop: the types of event and what they count, for a file with a column event_type.
        on_rows: called with the number of rows read so far.

    Raises:
        InvalidInput: naming the file and the row at fault.
        NoData: when no row has a user and an item.
    """
    columns, rows, kept = _Columns(), 0, 0
    for batch in open_batches(path):
        whole = _with_ids(batch)
        _read_batch(path, whole, rows, columns)
        rows, kept = rows + len(batch), kept + len(whole)
        on_rows(rows)
    if not kept:
        raise NoData(f"{path.name} has no row with a user_id and an item_id")
    log = _log(path, columns, shop)
    return EventFile(log, rows - len(log))


def _with_ids(batch: pa.RecordBatch) -> pa.RecordBatch:
    present = pc.and_(*(pc.is_valid(batch[name]) for name in REQUIRED))
    return batch if pc.all(present).as_py() is not False else batch.filter(present)


def _read_batch(path: Path, batch: pa.RecordBatch, before: int, columns: _Columns) -> None:
    def read(name: str, reader: Callable[[pa.Array], _Read]) -> _Read:
        try:
            return reader(batch[name])
        except UnreadableValue as error:
            row = before + error.place + 1
            raise refusal(path, f"{name} near row {row:,} {error}") from error

    for name in batch.schema.names:
        if name == "value":
            columns.values.append(read(name, read_values))
        elif name == "timestamp":
            columns.timestamps_ms.append(read(name, read_timestamps_ms))
        else:
            columns.ids.setdefault(name, []).append(read(name, read_ids))


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
        goals=goals,
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
        raise refusal(
            path, f"event_type {unknown[0]!r} is not one of: {known} (RECSYS_SHOP_CONFIG sets them)"
        )
    kinds = tuple(shop.event_types[name] for name in names)
    return kinds, tuple(name in shop.goals for name in names), codes.astype(np.int16)


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
