"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from recsys.importing.source import BATCH_ROWS, BadRow, Batch, SourceRow
from recsys.importing.text_file import open_text

# A longer line is a file of another kind, and would have to be held in memory whole.
_LONGEST_LINE = 1_000_000
_RAW_SHOWN = 1000
_ROWS_FOR_COLUMNS = 100

_Line = SourceRow | BadRow


class JsonlSource:
    """A JSON Lines file; its columns are the keys of its first objects."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def columns(self) -> list[str]:
        with open_text(self._path) as (text, _):
            first = islice(_lines(text), _ROWS_FOR_COLUMNS)
            return list(
                dict.fromkeys(
                    key for row in first if isinstance(row, SourceRow) for key in row.values
                )
            )

    def batches(self) -> Iterator[Batch]:
        with open_text(self._path) as (text, raw):
            lines = _lines(text)
            while batch := list(islice(lines, BATCH_ROWS)):
                yield Batch(
                    rows=[line for line in batch if isinstance(line, SourceRow)],
                    bad=[line for line in batch if isinstance(line, BadRow)],
                    position=raw.tell(),
                )


def _lines(text: TextIOWrapper) -> Iterator[_Line]:
    number = 0
    while line := text.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE and not line.endswith("\n"):
            _skip_rest_of_line(text)
            yield BadRow(number, f"is longer than {_LONGEST_LINE:,} characters", line[:_RAW_SHOWN])
        elif line.strip():
            yield _parse(number, line)


def _skip_rest_of_line(text: TextIOWrapper) -> None:
    while (rest := text.readline(_LONGEST_LINE)) and not rest.endswith("\n"):
        pass


def _parse(number: int, line: str) -> _Line:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadRow(number, f"is not valid JSON: {error}", line.rstrip()[:_RAW_SHOWN])
    if not isinstance(values, dict):
        return BadRow(number, "is not a JSON object", line.rstrip()[:_RAW_SHOWN])
    return SourceRow(number, values)
