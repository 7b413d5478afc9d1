"""CSV files, read by Arrow in columns."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from recsys.core.errors import ConfigurationError
from recsys.core.wording import pluralize
from recsys.importing.csv_records import RecordFinder, Records, split_lines
from recsys.importing.read_options import Quoting, ReadOptions
from recsys.importing.source import BadRow, RawBatch
from recsys.importing.text_lines import LineBlock, line_blocks

_DELIMITERS = ",;\t|"
_DOUBLE_COLON = "::"
# Excel's word on the delimiter, in a line of its own before the header.
_DELIMITER_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
# Stands for a delimiter of several characters, since Arrow takes one: the unit separator of ASCII.
_UNIT_SEPARATOR = "\x1f"


class CsvSource:
    """A CSV file; unless told, the delimiter is the one of `,` `;` tab `|` that line 1 has most.

    Raises:
        ConfigurationError: from any method, when line 1 cannot be a header.
    """

    def __init__(self, path: Path, options: ReadOptions | None = None) -> None:
        self._path = path
        self._options = options or ReadOptions()
        self.size = path.stat().st_size

    def columns(self) -> list[str]:
        return list(self._layout[0])

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        delimiter = self._one_character
        finder = RecordFinder(delimiter, len(self.columns()), self._with_quotes)
        parser = _Parser(self.columns(), wanted, delimiter, self._with_quotes)
        rest, first_line, position = b"", 1, 0
        for block in line_blocks(self._path, self._options.encoding):
            data, first_line = rest + self._recoded(block), block.first_line - rest.count(b"\n")
            if block.first_line == 1:
                data, first_line = self._after_header(data)
            records = finder.find(data, first_line, is_last=False)
            position, rest = block.position, data[records.consumed :]
            first_line += data.count(b"\n", 0, records.consumed)
            yield parser.batch(records, block.bad, position)
        if rest:
            yield parser.batch(finder.find(rest, first_line, is_last=True), [], position)

    @cached_property
    def _layout(self) -> tuple[list[str], str]:
        """Columns and delimiter."""
        first = next(line_blocks(self._path, self._options.encoding), None)
        line, _, rest = (first.data if first else b"").decode(errors="replace").partition("\n")
        given = _DELIMITER_LINE.fullmatch(line.strip())
        if given:
            line = rest.partition("\n")[0]
        if "\0" in line:
            raise ConfigurationError(
                f"{self._path.name} is no text in {self._options.encoding}: if it is UTF-16 without"
                " a byte order mark, say --encoding utf-16-le"
            )
        if not line.strip():
            raise ConfigurationError(f"{self._path.name} has no header line: line 1 is empty")
        delimiter = self._options.delimiter or (given[1] if given else _most_frequent(line))
        if self._options.columns:
            return list(self._options.columns), delimiter
        character = _UNIT_SEPARATOR if len(delimiter) > 1 else delimiter
        names = _fields(line.replace(delimiter, character), character, self._with_quotes)
        named = [name.strip() or f"column {place}" for place, name in enumerate(names, start=1)]
        if doubled := [name for name, count in Counter(named).items() if count > 1]:
            raise ConfigurationError(
                f"{self._path.name}: line 1 names two columns {doubled[0]!r}: rename one, or"
                " take line 1 out and name all columns with --no-header --columns"
            )
        return named, delimiter

    def _after_header(self, data: bytes) -> tuple[bytes, int]:
        """The first block without what stands before its rows, and the number of its first line."""
        line = data.partition(b"\n")[0].decode(errors="replace")
        has_delimiter = _DELIMITER_LINE.fullmatch(line.strip()) is not None
        before = has_delimiter + (not self._options.columns)
        for _ in range(before):
            data = data.partition(b"\n")[2]
        return data, before + 1

    @property
    def _with_quotes(self) -> bool:
        return self._options.quoting is Quoting.AUTO

    @property
    def _one_character(self) -> str:
        delimiter = self._layout[1]
        return _UNIT_SEPARATOR if len(delimiter) > 1 else delimiter

    def _recoded(self, block: LineBlock) -> bytes:
        delimiter, character = self._layout[1], self._one_character
        if delimiter == character:
            return block.data
        return block.data.replace(delimiter.encode(), character.encode())


class _Parser:
    """Arrow's parser for well-formed records."""

    def __init__(
        self, columns: list[str], wanted: Collection[str] | None, delimiter: str, with_quotes: bool
    ) -> None:
        self._columns, self._delimiter, self._with_quotes = columns, delimiter, with_quotes
        # By place: in a file that has no header any name may be given.
        self._chosen = [name for name in columns if wanted is None or name in wanted]

    def batch(self, records: Records, bad: list[BadRow], position: int) -> RawBatch:
        if not len(records.lines):
            return RawBatch(
                {name: pa.array([], pa.string()) for name in self._chosen},
                records.lines, [*bad, *records.bad], position, lambda _: None,
            )  # fmt: skip
        wrong: list[int] = []

        def set_aside(row: pa_csv.InvalidRow) -> str:
            wrong.append(row.number - 1)
            return "skip"

        table = self._parsed(records.data, set_aside)
        places = np.delete(np.arange(len(records.lines)), wrong)
        mismatches = [self._mismatch(records, place) for place in wrong]
        return RawBatch(
            columns={name: table[name].combine_chunks() for name in self._chosen},
            lines=records.lines[places],
            bad=sorted([*bad, *records.bad, *mismatches]),
            position=position,
            raw=lambda place: self._row(records, int(places[place])),
        )

    def _parsed(self, data: bytes, set_aside: Callable[[pa_csv.InvalidRow], str]) -> pa.Table:
        return pa_csv.read_csv(
            pa.py_buffer(data),
            # Several threads would not tell the number of a row.
            pa_csv.ReadOptions(
                column_names=self._columns, use_threads=False, block_size=len(data) + 1
            ),
            pa_csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char='"' if self._with_quotes else False,
                newlines_in_values=True,
                invalid_row_handler=set_aside,
            ),
            pa_csv.ConvertOptions(
                include_columns=self._chosen,
                column_types={name: pa.string() for name in self._chosen},
                null_values=[""],
                strings_can_be_null=True,
            ),
        )

    def _mismatch(self, records: Records, place: int) -> BadRow:
        fields = self._fields(records, place)
        reason = f"has {pluralize(len(fields), 'field')}, the header has {len(self._columns)}"
        return BadRow(int(records.lines[place]), reason, fields)

    def _row(self, records: Records, place: int) -> dict[str, str]:
        return dict(zip(self._columns, self._fields(records, place), strict=True))

    def _fields(self, records: Records, place: int) -> list[str]:
        record = records.data[records.starts[place] : records.starts[place + 1]]
        return _fields(record.decode().removesuffix("\n"), self._delimiter, self._with_quotes)


def _fields(record: str, delimiter: str, with_quotes: bool) -> list[str]:
    lines = split_lines(record)
    if with_quotes:
        return next(csv.reader(lines, delimiter=delimiter))
    return next(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE))


def _most_frequent(header: str) -> str:
    delimiter = max(_DELIMITERS, key=header.count)
    return _DOUBLE_COLON if header.count(_DOUBLE_COLON) >= max(1, header.count(",")) else delimiter
