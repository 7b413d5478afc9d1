"""Parquet files."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.core.errors import ConfigurationError
from recsys.importing.source import BATCH_ROWS, Batch, SourceRow


class ParquetSource:
    """A Parquet file; a row's line is its 1-based number.

    Raises:
        ConfigurationError: when the file is not Parquet.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path)
        except pa.ArrowInvalid as error:
            raise ConfigurationError(f"{path} is not a Parquet file: {error}") from error
        self.size = self._file.metadata.num_rows

    def columns(self) -> list[str]:
        return list(self._file.schema_arrow.names)

    def batches(self) -> Iterator[Batch]:
        line = 0
        names = self.columns()
        for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
            columns = [column.to_pylist() for column in batch.columns]
            rows = [
                SourceRow(number, dict(zip(names, values, strict=True)))
                for number, values in enumerate(zip(*columns, strict=True), start=line + 1)
            ]
            line += len(rows)
            yield Batch(rows, [], line)
