"""Options for how the bytes of a file become rows and columns."""

from dataclasses import dataclass
from enum import StrEnum


class FileFormat(StrEnum):
    """Format of a file; AUTO goes by its name, LISTS are a user and then their items on a line."""

    AUTO = "auto"
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XML = "xml"
    LISTS = "lists"


class Quoting(StrEnum):
    """Meaning of `"` in CSV: AUTO encloses fields that begin with it, NONE is a letter as any."""

    AUTO = "auto"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is written.

    Attributes:
        columns: names of the columns of a CSV file without a header line, which has none then.
        delimiter: between the fields of a CSV line, one or more characters; None finds it.
        encoding: of a text file.
        explode: the column with the list whose elements are the rows; None where a row is a row.
    """

    file_format: FileFormat = FileFormat.AUTO
    columns: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str = "utf-8"
    quoting: Quoting = Quoting.AUTO
    explode: str | None = None
