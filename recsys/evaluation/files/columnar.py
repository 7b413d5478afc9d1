"""Files of events as record batches: CSV (plain or gzipped) and Parquet, never row by row."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from recsys.core.errors import FieldProblem, InvalidInput, RecsysError
from recsys.importing.csv_source import CsvSource

REQUIRED = ("user_id", "item_id")
COLUMNS = (*REQUIRED, "event_type", "timestamp", "value")

_PARQUET = ".parquet"
_CSV_BLOCK_BYTES = 16 * 2**20
_PARQUET_ROWS = 2**20
_IDS = pa.dictionary(pa.int32(), pa.string())
_CSV_TYPES = {"user_id": _IDS, "item_id": _IDS, "event_type": _IDS}


def refusal(path: Path, reason: str) -> InvalidInput:
    """Error of a file, with its name."""
    return InvalidInput([FieldProblem(path.name, reason)])


def open_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Batches with those of COLUMNS that the file has, under these names.

    Everything in a CSV file comes as text, ids encoded; Parquet columns keep their types.

    Raises:
        InvalidInput: naming the file: a required column is missing, or it cannot be read.
    """
    batches = _parquet_batches(path) if path.suffix == _PARQUET else _csv_batches(path)
    try:
        yield from batches
    except (pa.ArrowException, OSError) as error:
        raise refusal(path, f"cannot be read: {str(error).splitlines()[0]}") from error


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    file = pq.ParquetFile(path)
    names = _wanted(path, list(file.schema_arrow.names))
    for batch in file.iter_batches(_PARQUET_ROWS, columns=list(names.values())):
        yield pa.RecordBatch.from_arrays([batch[column] for column in names.values()], list(names))


def _csv_batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        columns, delimiter = CsvSource(path).header()
    except RecsysError as error:
        raise refusal(path, "is empty: there is no header line") from error
    names = _wanted(path, columns)
    reader = pa_csv.open_csv(
        path,
        # Names as read above, whatever spaces the header has around them.
        pa_csv.ReadOptions(column_names=columns, skip_rows=1, block_size=_CSV_BLOCK_BYTES),
        pa_csv.ParseOptions(delimiter=delimiter),
        pa_csv.ConvertOptions(
            include_columns=list(names.values()),
            column_types={
                column: _CSV_TYPES.get(name, pa.string()) for name, column in names.items()
            },
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    for batch in reader:
        yield batch.rename_columns(list(names))


def _wanted(path: Path, columns: list[str]) -> dict[str, str]:
    """The file's column of each of COLUMNS that it has."""
    stripped = [column.strip() for column in columns]
    for name in REQUIRED:
        if name not in stripped:
            raise refusal(path, f"has no column {name}; it has: {', '.join(stripped)}")
    for name in COLUMNS:
        if stripped.count(name) > 1:
            raise refusal(path, f"has two columns {name}")
    return {name: columns[stripped.index(name)] for name in COLUMNS if name in stripped}
