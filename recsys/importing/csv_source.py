"""CSV with a header line."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from recsys.core.errors import ConfigurationError
from recsys.importing.source import BATCH_ROWS, BadRow, Batch, SourceRow
from recsys.importing.text_file import open_text

_DELIMITERS = ",;\t|"

_Line = SourceRow | BadRow


class CsvSource:
    """A CSV file; the delimiter is the one of `,`, `;`, tab and `|` that the header has most."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def columns(self) -> list[str]:
        return self.header()[0]

    def header(self) -> tuple[list[str], str]:
        """Columns and delimiter."""
        with open_text(self._path) as (text, _):
            return self._header(text)

    def batches(self) -> Iterator[Batch]:
        with open_text(self._path) as (text, raw):
            columns, delimiter = self._header(text)
            lines = _lines(text, columns, delimiter)
            while batch := list(islice(lines, BATCH_ROWS)):
                yield Batch(
                    rows=[line for line in batch if isinstance(line, SourceRow)],
                    bad=[line for line in batch if isinstance(line, BadRow)],
                    position=raw.tell(),
                )

    def _header(self, text: TextIOWrapper) -> tuple[list[str], str]:
        line = text.readline()
        if not line.strip():
            raise ConfigurationError(f"{self._path} has no header line")
        delimiter = max(_DELIMITERS, key=line.count)
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter))], delimiter


def _lines(text: TextIOWrapper, columns: list[str], delimiter: str) -> Iterator[_Line]:
    reader = csv.reader(text, delimiter=delimiter)
    while True:
        # A quoted field may span lines: a row is named by its first one, and the header is line 1.
        line = reader.line_num + 2
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, f"is not readable as CSV: {error}", None)
            continue
        if len(fields) == len(columns):
            yield SourceRow(line, dict(zip(columns, fields, strict=True)))
        elif fields:
            reason = f"has {len(fields)} fields, the header has {len(columns)}"
            yield BadRow(line, reason, fields)
