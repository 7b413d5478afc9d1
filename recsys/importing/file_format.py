"""Choosing the reader of a file."""

from enum import StrEnum
from pathlib import Path

from recsys.core.errors import ConfigurationError
from recsys.importing.csv_source import CsvSource
from recsys.importing.jsonl_source import JsonlSource
from recsys.importing.parquet_source import ParquetSource
from recsys.importing.source import RowReader


class FileFormat(StrEnum):
    """Format of a file; AUTO goes by its name."""

    AUTO = "auto"
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_BY_SUFFIX = {
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.CSV,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
    ".parquet": FileFormat.PARQUET,
}


def open_source(path: Path, file_format: FileFormat) -> RowReader:
    """A reader for this file.

    Raises:
        ConfigurationError: the file is not there, or its format cannot be told.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path} is no file")
    match _told_format(path) if file_format is FileFormat.AUTO else file_format:
        case FileFormat.CSV:
            return CsvSource(path)
        case FileFormat.JSONL:
            return JsonlSource(path)
        case _:
            return ParquetSource(path)


def _told_format(path: Path) -> FileFormat:
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    try:
        return _BY_SUFFIX[suffix.lower()]
    except KeyError:
        known = ", ".join(_BY_SUFFIX)
        raise ConfigurationError(
            f"cannot tell the format of {path.name} (known endings: {known}); say it with --format"
        ) from None
