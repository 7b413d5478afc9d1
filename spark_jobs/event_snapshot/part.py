"""One part of the snapshot: a key range of the table as one file of rows.

A part is read in full, or made of the last night's and of what changed since:

- events that were received or imported since then replace what the old part has of them, and what
  was received after the cutoff is not in the new one;
- of users of whom events were removed all is read again, whatever the old part has of them.

So the new part has the rows that reading in full would give. Memory holds what changed, and some
ten thousand other rows.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.files import whole_file
from recsys.stores.hbase.interaction_scan import InteractionColumns
from recsys.stores.hbase.table import KeyRange
from spark_jobs.event_snapshot.rows import SCHEMA, RowSet, event_rows, is_of_users, row_keys
from spark_jobs.event_snapshot.source import EventSource, overlap, range_of_user

# More changes than these are not held in memory: the part is read in full instead.
_MAX_CHANGED_ROWS = 500_000
_ROWS_PER_GROUP = 131_072
_ROWS_PER_BATCH = 65_536
_CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Part:
    """A file, and the key range whose events it holds.

    Attributes:
        start, stop: of the key range, as hexadecimal digits.
        file: its name in the snapshot's folder.
        checksum: CRC-32 of its bytes.
    """

    start: str
    stop: str
    file: str
    rows: int
    size_bytes: int
    checksum: int

    @property
    def key_range(self) -> KeyRange:
        return KeyRange(bytes.fromhex(self.start), bytes.fromhex(self.stop))


@dataclass(frozen=True)
class Since:
    """What a part is made of beside the last night's.

    Attributes:
        changed_ms: events received or imported since this moment are read.
        removed: users of whom events were removed since then.
    """

    changed_ms: int
    removed: tuple[str, ...]


@dataclass(frozen=True)
class MadePart:
    """A part, and how many rows HBase sent for it.

    Attributes:
        is_merged: made of the last night's part and what changed, not read in full.
    """

    part: Part
    rows_read: int
    is_merged: bool


@dataclass(frozen=True)
class _Changes:
    """Rows that replace others: those of `seen` and those of users in `removed`."""

    seen: RowSet
    removed: pa.Array
    rows: pa.Table
    rows_read: int


def read_part(
    source: EventSource, path: Path, key_range: KeyRange, received_before_ms: int
) -> MadePart:
    """Read a key range in full and write it to a file."""
    rows_read = 0

    def rows() -> Iterator[pa.RecordBatch]:
        nonlocal rows_read
        for columns in source.all(key_range):
            rows_read += len(columns.user_ids)
            yield _received_before(columns, received_before_ms)

    part = _write(path, key_range, rows())
    return MadePart(part, rows_read, is_merged=False)


def merge_part(
    source: EventSource, path: Path, old: Path, part: Part, since: Since, received_before_ms: int
) -> MadePart:
    """Write to a file what the old one holds and what changed since; the old part if nothing did.

    Args:
        old: the file of the last night's part.
    """
    changes = _read_changes(source, part.key_range, since, received_before_ms)
    if changes is None:
        return read_part(source, path, part.key_range, received_before_ms)
    if not changes.seen and not len(changes.removed):
        return MadePart(part, 0, is_merged=True)

    def rows() -> Iterator[pa.RecordBatch]:
        for batch in pq.ParquetFile(old).iter_batches(_ROWS_PER_BATCH):
            replaced = changes.seen.mask(batch) | is_of_users(batch, changes.removed)
            yield batch.filter(pa.array(~replaced))
        yield from changes.rows.to_batches()

    made = _write(path, part.key_range, rows())
    return MadePart(made, changes.rows_read, is_merged=True)


def checksum(path: Path) -> int:
    """CRC-32 of a file."""
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            value = zlib.crc32(chunk, value)
    return value


def _read_changes(
    source: EventSource, key_range: KeyRange, since: Since, received_before_ms: int
) -> _Changes | None:
    """None when they are too many to be held."""
    batches: list[pa.RecordBatch] = []
    written: list[NDArray[np.int64]] = []
    rows_read = 0
    for columns in source.changed(key_range, since.changed_ms):
        batches.append(event_rows(columns))
        written.append(columns.written_ms)
        rows_read += len(columns.user_ids)
        if rows_read > _MAX_CHANGED_ROWS:
            return None
    seen = pa.Table.from_batches(batches, SCHEMA)
    written_ms = np.concatenate([*written, np.empty(0, np.int64)])
    # Of equal events the last one counts.
    lasts = np.array(
        sorted({key: row for row, key in enumerate(row_keys(seen))}.values()), np.int64
    )
    lasts = lasts[written_ms[lasts] < received_before_ms]
    ranges = {user_id: overlap(range_of_user(user_id), key_range) for user_id in since.removed}
    removed = pa.array([user_id for user_id, its in ranges.items() if its], pa.string())
    new = seen.take(pa.array(lasts))
    parts = [batch.filter(pa.array(~is_of_users(batch, removed))) for batch in new.to_batches()]
    for its in filter(None, ranges.values()):
        for columns in source.all(its):
            rows_read += len(columns.user_ids)
            parts.append(_received_before(columns, received_before_ms))
    return _Changes(RowSet(seen), removed, pa.Table.from_batches(parts, SCHEMA), rows_read)


def _received_before(columns: InteractionColumns, received_ms: int) -> pa.RecordBatch:
    return event_rows(columns).filter(pa.array(columns.written_ms < received_ms))


def _write(path: Path, key_range: KeyRange, batches: Iterator[pa.RecordBatch]) -> Part:
    rows = 0
    with (
        whole_file(path) as file,
        pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer,
    ):
        for group in _grouped(batches):
            rows += len(group)
            writer.write_table(group)
    return Part(
        start=key_range.start.hex(),
        stop=key_range.stop.hex(),
        file=path.name,
        rows=rows,
        size_bytes=path.stat().st_size,
        checksum=checksum(path),
    )


def _grouped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of as many rows as a row group should have, whatever the batches are."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= _ROWS_PER_GROUP:
            yield pa.Table.from_batches(held, SCHEMA)
            held = []
    if held:
        yield pa.Table.from_batches(held, SCHEMA)
