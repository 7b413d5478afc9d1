"""Parquet files."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.core.errors import ConfigurationError, DamagedFile
from recsys.importing.source import Column, RawBatch

# Enough for columns to pay; a row of a catalogue may have some kilobytes.
_BATCH_ROWS = 2**16
_BYTES = {pa.binary().id, pa.large_binary().id, pa.binary(1).id}


class ParquetSource:
    """A Parquet file; a row's line is its 1-based number.

    Raises:
        ConfigurationError: when the file is not Parquet, or two columns have one name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise ConfigurationError(f"{path} is not a Parquet file: {error}") from error
        self.size = self._file.metadata.num_rows
        names = self.columns()
        if doubled := [name for name in names if names.count(name) > 1]:
            raise ConfigurationError(f"{path.name} has two columns {doubled[0]!r}")

    def columns(self) -> list[str]:
        """Names of the columns; a value within a value is "outer.inner"."""
        schema = self._file.schema_arrow
        return [*schema.names, *(path for each in schema for path in _paths(each, ""))]

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        chosen = [name for name in self.columns() if wanted is None or name in wanted]
        row = 0
        for batch in self._read(chosen):
            lines = np.arange(row + 1, row + 1 + len(batch), dtype=np.int64)
            row += len(batch)
            columns = {name: _plain(_at(batch, name)) for name in chosen}
            yield RawBatch(columns, lines, [], row, _row_of(batch))

    def _read(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(_BATCH_ROWS, columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise DamagedFile(self._path.name, f"is damaged: {error}") from error


def _row_of(batch: pa.RecordBatch) -> Callable[[int], Any]:
    return lambda place: batch.slice(place, 1).to_pylist()[0]


def _paths(field: pa.Field, outer: str) -> Iterator[str]:
    """Names of the values within values."""
    if pa.types.is_struct(field.type):
        for inner in field.type:
            yield from _paths(inner, f"{outer}{field.name}.")
    elif outer:
        yield f"{outer}{field.name}"


def _at(batch: pa.RecordBatch, name: str) -> pa.Array:
    if name in batch.schema.names:
        return batch[name]
    outer, *inner = name.split(".")
    return pc.struct_field(batch[outer], inner)


def _plain(column: pa.Array) -> Column:
    """Columns of the types that others have too: text for bytes, and no dictionaries."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if isinstance(column.type, pa.UuidType):
        return [None if each is None else str(each) for each in column.to_pylist()]
    if column.type.id in _BYTES:
        return [_text(each) for each in column.to_pylist()]
    if pa.types.is_decimal(column.type):
        # Whole ones may be ids, which are not to be rounded.
        return column.cast(pa.float64() if column.type.scale else pa.string())
    if pa.types.is_nested(column.type):
        return list(column.to_pylist())
    return column


def _text(value: bytes | None) -> str | bytes | None:
    """Bytes as text; those of an id that is none stay: replaced, many would be one id."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
