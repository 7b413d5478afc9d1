"""Records of CSV text with their lines: a quote that is never closed spoils its own line only.

Arrow reads columns, but a quote it finds unmatched takes everything to the next one as one field,
and it tells no line numbers. So the records are found here first. Lines whose quotes enclose whole
fields, nearly all of them, are recognised by numpy; the others are read one by one, and what Arrow
then gets has one well-formed record after another.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.importing.source import BadRow
from recsys.importing.text_lines import MAX_LINE_BYTES, shown

_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
# A description has fewer lines; a quote that is closed later than this is no quote.
_MAX_RECORD_LINES = 500
# So many lines that could each be a row are rows, and no text of one field.
_MAX_ROWS_IN_QUOTES = 20
# Closing quotes to try for one record.
_MAX_TRIES = 50

# A field may be as long as a line.
csv.field_size_limit(MAX_LINE_BYTES)

UNCLOSED = 'has a " that is not closed; --quoting none takes quotes as they are'


class Records(NamedTuple):
    """Well-formed records one after the other.

    Attributes:
        data: the records, each ended by "\\n".
        starts: (n + 1,) where each begins in `data`, and the end.
        lines: (n,) 1-based line where each begins in the file.
        bad: records that are not well formed.
        consumed: how much of the text they were made of; the rest needs more text after it.
    """

    data: bytes
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]
    bad: list[BadRow]
    consumed: int


@dataclass
class _Irregular:
    """Lines that are not taken as they are: what stands in their place."""

    first: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    instead: list[bytes] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    unfinished: int | None = None

    def add(self, first: int, end: int, instead: bytes = b"") -> None:
        self.first.append(first)
        self.end.append(end)
        self.instead.append(instead)


@dataclass(frozen=True, slots=True)
class RecordFinder:
    """Finds the records of CSV text.

    Attributes:
        delimiter: one byte, as `\\x1f` where the file has several.
        fields: of a record.
        with_quotes: whether `"` encloses fields.
    """

    delimiter: str
    fields: int
    with_quotes: bool

    def find(self, data: bytes, first_line: int, *, is_last: bool) -> Records:
        """The records of whole lines; a last one that goes on is left for the next call."""
        text = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(text == _NEWLINE)
        starts = np.concatenate([[0], ends + 1])
        suspects = self._suspects(data, text, starts)
        found = self._read(data, starts, suspects, first_line, is_last=is_last)
        count = len(ends) if found.unfinished is None else found.unfinished
        return _assembled(data, starts[: count + 1], found, first_line)

    def _suspects(
        self, data: bytes, text: NDArray[np.uint8], starts: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Numbers of the lines that are blank or have to be looked at one by one."""
        is_suspect = np.diff(starts) == 1
        if _RETURN in data:
            at = np.flatnonzero(text == _RETURN)
            is_suspect[np.searchsorted(starts, at, "right") - 1] = True
        if self.with_quotes and _QUOTE in data and not self._all_enclose(text):
            is_suspect |= self._has_odd_quotes(text, starts)
        return np.flatnonzero(is_suspect)

    def _is_bound(self) -> NDArray[np.bool_]:
        """(256,) whether a byte may stand outside of a quote that encloses a field."""
        is_bound = np.zeros(256, np.bool_)
        is_bound[[ord(self.delimiter), _NEWLINE, _QUOTE]] = True
        return is_bound

    def _all_enclose(self, text: NDArray[np.uint8]) -> bool:
        """Tell whether all quotes enclose whole fields of one line, as in nearly every file."""
        is_quote = text == _QUOTE
        is_inside = np.cumsum(is_quote, dtype=np.uint8) & 1 == 1
        may_be_outside = self._is_bound()[text]
        opens, closes = is_quote & is_inside, is_quote & ~is_inside
        return not (
            (is_inside & (text == _NEWLINE)).any()
            or (opens[1:] & ~may_be_outside[:-1]).any()
            or (closes[:-1] & ~may_be_outside[1:]).any()
        )

    def _has_odd_quotes(
        self, text: NDArray[np.uint8], starts: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """(lines,) whether quotes do not enclose whole fields, `""` within them being one quote."""
        quotes = np.flatnonzero(text == _QUOTE)
        line_of = np.cumsum(text == _NEWLINE, dtype=np.int32)[quotes]
        counts = np.bincount(line_of, minlength=len(starts) - 1)
        order = np.arange(len(quotes)) - (np.cumsum(counts) - counts)[line_of]
        before = np.where(quotes > 0, text[quotes - 1], _NEWLINE)
        # The text ends with a newline: there is always something after a quote.
        neighbour = np.where(order % 2 == 0, before, text[quotes + 1])
        is_odd = counts % 2 == 1
        is_odd[line_of[~self._is_bound()[neighbour]]] = True
        return np.asarray(is_odd, np.bool_)

    def _read(
        self,
        data: bytes,
        starts: NDArray[np.int64],
        suspects: NDArray[np.int64],
        first_line: int,
        *,
        is_last: bool,
    ) -> _Irregular:
        found, end = _Irregular(), 0
        for place, number in enumerate(suspects.tolist()):
            if number < end:
                continue
            end = number + 1
            line = data[starts[number] : starts[end]]
            if line == b"\n":
                found.add(number, end)
                continue
            fields = self._fields(line.decode())
            if fields is None:
                later = suspects[place + 1 : place + 1 + _MAX_TRIES].tolist()
                longer = self._over_lines(data, starts, number, later)
                if longer is None and not is_last and _may_go_on(starts, number):
                    found.unfinished = number
                    break
                fields, end = longer or (None, end)
            if fields is None:
                found.bad.append(BadRow(first_line + number, UNCLOSED, shown(line)))
                found.add(number, end)
            else:
                found.add(number, end, self._written(fields))
        return found

    def _fields(self, text: str) -> list[str] | None:
        """Fields of a record; None when it ends within quotes."""
        reader = csv.reader([text, "end"], delimiter=self.delimiter)
        try:
            fields = next(reader)
        except csv.Error:
            return None
        return fields if reader.line_num == 1 or next(reader, None) == ["end"] else None

    def _over_lines(
        self, data: bytes, starts: NDArray[np.int64], number: int, later: list[int]
    ) -> tuple[list[str], int] | None:
        """A record that goes on over lines, and the line after it.

        None when no quote closes it, or when what is within the quotes are rows by themselves.
        """
        for last in later:
            if last - number > _MAX_RECORD_LINES:
                break
            lines = split_lines(data[starts[number] : starts[last + 1]].decode())
            try:
                records = list(csv.reader(lines, delimiter=self.delimiter, strict=True))
            except csv.Error as error:
                is_open = "unexpected end of data" in str(error)
                if is_open and (len(lines) <= _MAX_ROWS_IN_QUOTES or not self._are_rows(lines[1:])):
                    continue
                break
            is_one = len(records) == 1 and len(records[0]) == self.fields
            # What closes a field may by itself look like a row; what is before it should not.
            if not is_one or self._are_rows(lines[1:-1] or lines[1:]):
                break
            return records[0], last + 1
        return None

    def _are_rows(self, lines: list[str]) -> bool:
        """Tell whether most of some lines within quotes would be rows by themselves."""
        return sum(map(self._is_row, lines)) * 2 >= len(lines)

    def _is_row(self, line: str) -> bool:
        fields = self._fields(line)
        if self.fields < 2 or fields is None or len(fields) != self.fields:
            return False
        # Prose has a blank after its commas.
        return not any(field.startswith(" ") for field in fields[1:])

    def _written(self, fields: list[str]) -> bytes:
        """A record as Arrow reads it without doubt."""
        quoted = ('"' + text.replace('"', '""') + '"' for text in fields)
        return (self.delimiter.join(quoted) + "\n").encode()


def split_lines(text: str) -> list[str]:
    """Lines with their "\n": what else ends a line in Unicode is a letter of a field."""
    return [f"{line}\n" for line in text.removesuffix("\n").split("\n")]


def _may_go_on(starts: NDArray[np.int64], number: int) -> bool:
    """Tell whether text after these lines may close a quote of this one."""
    is_near = len(starts) - 1 - number <= _MAX_RECORD_LINES
    return bool(is_near and starts[-1] - starts[number] <= MAX_LINE_BYTES)


def _assembled(
    data: bytes, starts: NDArray[np.int64], found: _Irregular, first_line: int
) -> Records:
    """Regular lines as they are, and the others' replacements between them."""
    numbers = np.arange(len(starts) - 1, dtype=np.int64)
    lengths = np.diff(starts)
    consumed = int(starts[-1])
    if not found.first:
        return Records(data[:consumed], starts, first_line + numbers, found.bad, consumed)
    is_kept = np.ones(len(numbers), np.bool_)
    for first, end, instead in zip(found.first, found.end, found.instead, strict=True):
        is_kept[first:end] = False
        if instead:
            is_kept[first], lengths[first] = True, len(instead)
    return Records(
        b"".join(_pieces(data, starts, found)),
        np.concatenate([[0], np.cumsum(lengths[is_kept])]),
        first_line + numbers[is_kept],
        found.bad,
        consumed,
    )


def _pieces(data: bytes, starts: NDArray[np.int64], found: _Irregular) -> Iterator[bytes]:
    done = 0
    for first, end, instead in zip(found.first, found.end, found.instead, strict=True):
        yield data[starts[done] : starts[first]]
        yield instead
        done = end
    yield data[starts[done] : starts[-1]]
