"""Parquet files."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.core.errors import ConfigurationError, DamagedFile
from recsys.importing.source import Column, RawBatch

# Enough for columns to pay; a row of a catalogue may have some kilobytes.
_BATCH_ROWS = 2**16


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
        return list(self._file.schema_arrow.names)

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        chosen = [name for name in self.columns() if wanted is None or name in wanted]
        row = 0
        for batch in self._read(chosen):
            lines = np.arange(row + 1, row + 1 + len(batch), dtype=np.int64)
            row += len(batch)
            columns = {name: _plain(batch[name]) for name in chosen}
            yield RawBatch(columns, lines, [], row, _row_of(batch))

    def _read(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(_BATCH_ROWS, columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise DamagedFile(self._path.name, f"is damaged: {error}") from error


def _row_of(batch: pa.RecordBatch):  # type: ignore[no-untyped-def]
    def row(place: int) -> dict[str, Any]:
        return dict(batch.slice(place, 1).to_pylist()[0])

    return row


def _plain(column: pa.Array) -> Column:
    """Columns of the types that others have too: text for bytes, and no dictionaries."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return [
            None if each is None else each.decode(errors="replace") for each in column.to_pylist()
        ]
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64())
    if pa.types.is_nested(column.type):
        return list(column.to_pylist())
    return column
