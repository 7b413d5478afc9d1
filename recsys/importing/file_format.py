"""Choosing the reader of a file."""

from pathlib import Path, PurePath

from recsys.core.errors import ConfigurationError
from recsys.importing.csv_source import CsvSource
from recsys.importing.exploded_source import ExplodedSource
from recsys.importing.jsonl_source import JsonlSource
from recsys.importing.lists_source import ListsSource
from recsys.importing.opened_file import COMPRESSED_SUFFIXES
from recsys.importing.parquet_source import ParquetSource
from recsys.importing.partitioned_source import PartitionedSource, partition_of
from recsys.importing.read_options import FileFormat, ReadOptions
from recsys.importing.source import RowReader
from recsys.importing.xml_source import XmlSource

_BY_SUFFIX = {
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.CSV,
    ".dat": FileFormat.CSV,
    ".inter": FileFormat.CSV,
    ".item": FileFormat.CSV,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
    ".json": FileFormat.JSONL,
    ".parquet": FileFormat.PARQUET,
    ".xml": FileFormat.XML,
    ".rss": FileFormat.XML,
    ".atom": FileFormat.XML,
}
# What people have instead, and what to do about it.
_NOT_READ = {
    ".xlsx": "save it as CSV UTF-8",
    ".xls": "save it as CSV UTF-8",
    ".ods": "save it as CSV",
    ".tar": "unpack it",
    ".tgz": "unpack it",
    ".7z": "unpack it",
    ".rar": "unpack it",
    ".avro": "convert it to Parquet",
    ".orc": "convert it to Parquet",
    ".feather": "convert it to Parquet",
    ".arrow": "convert it to Parquet",
}


def open_source(path: Path, options: ReadOptions) -> RowReader:
    """A reader for this file.

    Raises:
        ConfigurationError: the file is not there, its format cannot be told, or it has no list to
            explode.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path} is no file")
    source = _reader_of(path, options)
    if options.explode is not None:
        if isinstance(source, CsvSource | XmlSource | ListsSource):
            raise ConfigurationError(f"--explode is for JSON and Parquet: {path.name} is neither")
        source = ExplodedSource(source, options.explode)
    partition = partition_of(path)
    return PartitionedSource(source, partition) if partition else source


def _reader_of(path: Path, options: ReadOptions) -> RowReader:
    told = options.file_format
    match _format_of_name(path) if told is FileFormat.AUTO else told:
        case FileFormat.CSV:
            return CsvSource(path, options)
        case FileFormat.JSONL:
            return JsonlSource(path, options)
        case FileFormat.XML:
            return XmlSource(path)
        case FileFormat.LISTS:
            return ListsSource(path, options)
        case _:
            return ParquetSource(path)


def has_known_name(path: PurePath) -> bool:
    """Tell whether a file's name says its format."""
    return _suffix(path) in _BY_SUFFIX


def _format_of_name(path: Path) -> FileFormat:
    try:
        return _BY_SUFFIX[_suffix(path)]
    except KeyError:
        if what_to_do := _NOT_READ.get(_suffix(path)):
            raise ConfigurationError(
                f"{path.name} is of a kind that is not read: {what_to_do}"
            ) from None
        known = ", ".join(_BY_SUFFIX)
        raise ConfigurationError(
            f"cannot tell the format of {path.name} (known endings: {known}); say it with --format,"
            " which is lists where a line is a user and then their items"
        ) from None


def _suffix(path: PurePath) -> str:
    name = PurePath(path.stem) if path.suffix.lower() in COMPRESSED_SUFFIXES else path
    return name.suffix.lower()
