"""Times as files write them, single values and whole columns: UTC milliseconds since 1970.

Text may be ISO 8601, or a day with slashes or dots whose order shows; a number may count seconds,
milliseconds, microseconds or nanoseconds since 1970, spell a day or a moment with its digits
(20191020, 20191020123000), or count the days of Excel. From 1995 to 2100 no two of these
readings share a number, so its size tells what it is. What would be a time in none of them (day 42)
is refused unless the unit is given: nothing becomes a day of 1970 by mistake.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.core.times import (
    MAX_CLOCK_SKEW_MS,
    MAX_TIMESTAMP_MS,
    MS_PER_DAY,
    event_time_problem,
    utc_datetime,
)
from recsys.importing.source import Column
from recsys.importing.times_of_day import clock_scale, read_clock
from recsys.importing.values import MISSING_WORDS, is_missing

# 1995-01-01T00:00:00Z: web shops are not older.
FIRST_PLAUSIBLE_MS = 788_918_400_000
# 1970-01-01 in the days of Excel.
_EXCEL_EPOCH_DAYS = 25_569
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS, _DAYS_OF_MONTH = 12, 31
# YYYYMMDD, YYYYMMDDHHMM and YYYYMMDDHHMMSS: digits of all, and of the clock.
_DIGIT_FORMS = ((8, 0), (12, 4), (14, 6))


class TimeUnit(StrEnum):
    """Meaning of a number that is a time; AUTO goes by its size."""

    AUTO = "auto"
    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"
    DAY_DIGITS = "yyyymmdd"
    EXCEL = "excel"


_MS_OF_EPOCH_UNITS = {
    TimeUnit.SECONDS: 1e3,
    TimeUnit.MILLISECONDS: 1.0,
    TimeUnit.MICROSECONDS: 1e-3,
    TimeUnit.NANOSECONDS: 1e-6,
}
_EPOCHS, _DIGITS, _DAYS = 1, 2, 3
_KINDS = {_EPOCHS: "time since 1970", _DIGITS: "date in digits", _DAYS: "day of Excel"}

_NUMBER = r"^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$"
_SPACE_BEFORE_ZONE = re.compile(r"(?<=\d) (?=[+-]\d\d:?\d\d$)")
_UTC_BEHIND = re.compile(r" (UTC|GMT)$")
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?$"
_PARTS = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?:[T ,]+(.*))?")
_WRITTEN_OUT = (
    "%d %b %Y", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S", "%b %d %Y", "%b %d %Y %H:%M:%S",
    "%b %d %Y %I:%M:%S %p", "%a %d %b %Y %H:%M:%S %z", "%a %d %b %Y %H:%M:%S",
    "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y", "%d-%b-%Y", "%d-%b-%y",
    "%d/%b/%Y:%H:%M:%S %z",
)  # fmt: skip
_EXPECTED = "is no time that can be told: say --timestamp-format, or --time-unit of a number"
_UNCLEAR_DAY = "may be day/month or month/day: say --timestamp-format, for example '%d/%m/%Y %H:%M'"
_UNCLEAR_YEAR = "may begin or end with its year: say --timestamp-format, for example '%y-%m-%d'"


class Moments(NamedTuple):
    """(n,) times of a column: milliseconds since 1970, whether there is one, and why not."""

    ms: NDArray[np.int64]
    is_there: NDArray[np.bool_]
    problems: dict[int, str]

    def at(self, place: int) -> int:
        """The time of one row.

        Raises:
            ValueError: saying what is wrong with it.
        """
        if not self.is_there[place]:
            raise ValueError(self.problems.get(place, "is missing"))
        return int(self.ms[place])


@dataclass(frozen=True, slots=True)
class TimeOptions:
    """How a file writes times, where that cannot be told.

    Attributes:
        pattern: as of `datetime.strptime`; None for all that can be told.
        zone: of times that name none.
        month_first: whether 1/2/2026 is in January; None goes by the column's other days.
    """

    pattern: str | None = None
    unit: TimeUnit = TimeUnit.AUTO
    zone: str = "UTC"
    month_first: bool | None = None


class _Draft:
    """(n,) times that are being read; milliseconds of local time where they are not in UTC."""

    def __init__(self, size: int) -> None:
        self.ms = np.zeros(size, np.int64)
        self.is_there = np.zeros(size, np.bool_)
        self.is_utc = np.zeros(size, np.bool_)
        self.problems: dict[int, str] = {}

    def put(self, places: NDArray[np.int64], ms: NDArray[np.int64], *, is_utc: bool) -> None:
        self.ms[places], self.is_there[places], self.is_utc[places] = ms, True, is_utc

    def taken(self, codes: NDArray[np.int64]) -> "_Draft":
        """Each row's, of those of distinct values; -1 is none."""
        rows = _Draft(len(codes))
        if len(self.ms):
            has_value = codes >= 0
            rows.ms, rows.is_utc = self.ms[codes], self.is_utc[codes]
            rows.is_there = self.is_there[codes] & has_value
        if self.problems:
            at_fault = np.isin(codes, list(self.problems))
            rows.problems = {
                place: self.problems[codes[place]] for place in np.flatnonzero(at_fault).tolist()
            }
        return rows


class TimeReader:
    """Reads the times of one file, whose numbers are all of one kind and whose days of one order.

    Args:
        now_ms: events may be a day ahead of it, no more.
    """

    def __init__(self, options: TimeOptions, now_ms: int) -> None:
        self._options = options
        self._now_ms = now_ms
        self._zone = ZoneInfo(options.zone)
        self._month_first = options.month_first
        # Of days such as 19-10-20.
        self._year_first: bool | None = None if options.month_first is None else False
        # What makes HHMMSS of times of the day that are numbers.
        self._clock_scale: int | None = None
        self._kind: int | None = None

    def read(self, column: Column, clock: Column | None = None) -> Moments:
        """Read a column; with `clock`, one of days with another of times of the day."""
        draft = self._read(column)
        if clock is not None:
            self._add_clock(draft, clock if isinstance(clock, list) else clock.to_pylist())
        self._to_utc(draft)
        self._check(draft)
        return Moments(draft.ms, draft.is_there, draft.problems)

    def _read(self, column: Column) -> _Draft:
        if isinstance(column, list):
            return self._read_mixed(column)
        kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return _read_temporal(column)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            draft = _Draft(len(column))
            numbers = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            there = np.flatnonzero(~np.isnan(numbers))
            self._put_numbers(draft, there, numbers[there])
            return draft
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            return self._read_mixed(column.to_pylist())
        if self._options.pattern is None and (numbers := _as_numbers(column)) is not None:
            return self._read(numbers)
        encoded = column.dictionary_encode()
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        draft = _Draft(len(encoded.dictionary))
        self._put_texts(draft, np.arange(len(draft.ms)), encoded.dictionary)
        return draft.taken(codes)

    def _read_mixed(self, values: list[Any]) -> _Draft:
        draft = _Draft(len(values))
        numbers, texts, moments = list[int](), list[int](), list[int]()
        for place, value in enumerate(values):
            if isinstance(value, str):
                texts.append(place)
            elif isinstance(value, datetime | date):
                moments.append(place)
            elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                numbers.append(place)
            elif value is not None:
                draft.problems[place] = _EXPECTED
        as_numbers = np.array([_float(values[place]) for place in numbers], np.float64)
        there = ~np.isnan(as_numbers)
        self._put_numbers(draft, np.array(numbers, np.int64)[there], as_numbers[there])
        found = pa.array([_utf8(values[place]) for place in texts], pa.string())
        self._put_texts(draft, np.array(texts, np.int64), found)
        for place in moments:
            ms, is_utc = _of_datetime(values[place])
            draft.put(np.array([place]), np.array([ms]), is_utc=is_utc)
        return draft

    def _put_texts(self, draft: _Draft, places: NDArray[np.int64], texts: pa.Array) -> None:
        """Read distinct texts: numbers and ISO 8601 together, others one by one."""
        trimmed = pc.utf8_trim_whitespace(texts)
        is_left = ~_flags(pc.is_in(trimmed, pa.array(["", *MISSING_WORDS])))
        if self._options.pattern is None:
            is_number = is_left & _flags(pc.match_substring_regex(trimmed, _NUMBER))
            numbers = trimmed.filter(pa.array(is_number)).cast(pa.float64()).to_numpy()
            self._put_numbers(draft, places[is_number], numbers)
            is_left &= ~is_number
            is_left &= ~_put_iso(draft, places, trimmed, is_left)
        rest = np.flatnonzero(is_left)
        self._find_order(trimmed, rest)
        for number in rest.tolist():
            place = places[number : number + 1]
            try:
                ms, is_utc = self._read_text(trimmed[number].as_py())
                draft.put(place, np.array([ms]), is_utc=is_utc)
            except (ValueError, OverflowError) as error:
                known = str(error) in (_UNCLEAR_DAY, _UNCLEAR_YEAR)
                draft.problems[int(place[0])] = str(error) if known else self._expected()

    def _expected(self) -> str:
        pattern = self._options.pattern
        return _EXPECTED if pattern is None else f"is not of --timestamp-format {pattern}"

    def _find_order(self, texts: pa.Array, places: NDArray[np.int64]) -> None:
        """Tell the order of day, month and year from days that can only be one of them."""
        if self._options.pattern is not None or not len(places):
            return
        found = [_PARTS.fullmatch(text) for text in texts.take(pa.array(places)).to_pylist()]
        days = [each for each in found if each and each[2] != "."]
        if self._year_first is None:
            self._year_first = _is_year_first(days, self._now_ms)
        if self._month_first is None and not self._year_first:
            pairs = [(int(each[1]), int(each[3])) for each in days]
            first_is_day = any(_MONTHS < first <= _DAYS_OF_MONTH for first, _ in pairs)
            second_is_day = any(second > _MONTHS for first, second in pairs if first <= _MONTHS)
            if first_is_day != second_is_day:
                self._month_first = second_is_day

    def _read_text(self, text: str) -> tuple[int, bool]:
        if self._options.pattern is not None:
            return _by_pattern(text, self._options.pattern)
        body = _UTC_BEHIND.sub("", text)
        ms, names_zone = _of_datetime(self._read_body(body))
        return ms, names_zone or body != text

    def _read_body(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(_SPACE_BEFORE_ZONE.sub("", text))
        except ValueError:
            pass
        if parts := _PARTS.fullmatch(text):
            return datetime.combine(self._day(parts), time.min) + read_clock(parts[5] or "0:00")
        return _written_out(text)

    def _day(self, parts: re.Match[str]) -> date:
        first, second, last = int(parts[1]), int(parts[3]), int(parts[4])
        if first > _DAYS_OF_MONTH:
            return date(first, second, last)
        if _is_short(parts):
            if self._year_first is None:
                raise ValueError(_UNCLEAR_YEAR)
            if self._year_first:
                return date(2000 + first, second, last)
        year = last + (2000 if len(parts[4]) == 2 else 0)
        if parts[2] == ".":
            return date(year, second, first)
        if self._month_first is None and 0 < first <= _MONTHS and 0 < second <= _MONTHS:
            raise ValueError(_UNCLEAR_DAY)
        if self._month_first or second > _MONTHS:
            return date(year, first, second)
        return date(year, second, first)

    def _add_clock(self, draft: _Draft, clock: list[Any]) -> None:
        """Add each row's time of the day to its day."""
        if self._clock_scale is None:
            self._clock_scale = clock_scale(clock)
        for place in np.flatnonzero(draft.is_there).tolist():
            if is_missing(clock[place]):
                continue
            try:
                of_day = read_clock(clock[place], self._clock_scale or 1)
                draft.ms[place] += of_day // timedelta(milliseconds=1)
            except (ValueError, TypeError):
                draft.problems[place] = f"has no time of the day: {clock[place]!r:.40}"
                draft.is_there[place] = False

    def _put_numbers(
        self, draft: _Draft, places: NDArray[np.int64], numbers: NDArray[np.float64]
    ) -> None:
        """Read numbers of these places."""
        ms, kinds = _numbers_ms(numbers, self._options.unit)
        if self._kind is None and kinds.any():
            self._kind = Counter(kinds[kinds > 0].tolist()).most_common(1)[0][0]
        good = kinds == self._kind if self._kind else np.zeros(len(kinds), np.bool_)
        for number in np.flatnonzero(~good).tolist():
            draft.problems[int(places[number])] = self._number_problem(int(kinds[number]))
        draft.put(places[good], ms[good], is_utc=self._kind == _EPOCHS)

    def _number_problem(self, kind: int) -> str:
        if kind and self._kind:
            return f"is a {_KINDS[kind]} where others are a {_KINDS[self._kind]}"
        if self._options.unit is not TimeUnit.AUTO:
            return f"is no time as --time-unit {self._options.unit} counts"
        return "is no time from 1995 on in any unit: say --time-unit or --timestamp-format"

    def _to_utc(self, draft: _Draft) -> None:
        local = draft.is_there & ~draft.is_utc
        if self._options.zone == "UTC" or not local.any():
            return
        naive = pa.array(draft.ms[local]).cast(pa.timestamp("ms"))
        # Of an hour that a clock has twice, the first; of one it has not, what comes after.
        aware = pc.assume_timezone(
            naive, self._options.zone, ambiguous="earliest", nonexistent="latest"
        )
        draft.ms[local] = aware.cast(pa.int64()).to_numpy()

    def _check(self, draft: _Draft) -> None:
        ms = draft.ms
        wrong = draft.is_there & ((ms < 0) | (ms > MAX_TIMESTAMP_MS))
        wrong |= draft.is_there & (ms > self._now_ms + MAX_CLOCK_SKEW_MS)
        for place in np.flatnonzero(wrong).tolist():
            problem = event_time_problem(int(ms[place]), self._now_ms)
            draft.problems[place] = problem or _EXPECTED
        draft.is_there &= ~wrong


def _numbers_ms(
    numbers: NDArray[np.float64], unit: TimeUnit
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Milliseconds of numbers, and by which kind of reading; 0 where there is none."""
    ms, kinds = np.zeros(len(numbers)), np.zeros(len(numbers), np.int8)

    def put(chosen: NDArray[np.bool_], read: NDArray[np.float64], kind: int) -> None:
        ms[chosen], kinds[chosen] = read[chosen], kind

    first_ms = FIRST_PLAUSIBLE_MS if unit is TimeUnit.AUTO else 0
    for each, factor in _MS_OF_EPOCH_UNITS.items():
        if unit in (TimeUnit.AUTO, each):
            read = np.rint(numbers * factor)
            put((read >= first_ms) & (read <= MAX_TIMESTAMP_MS), read, _EPOCHS)
    if unit in (TimeUnit.AUTO, TimeUnit.DAY_DIGITS):
        for digits, clock_digits in () if kinds.all() else _DIGIT_FORMS:
            read, is_moment = _spelled(numbers, digits, clock_digits)
            put(is_moment & (read >= first_ms) & (read <= MAX_TIMESTAMP_MS), read, _DIGITS)
    if unit in (TimeUnit.AUTO, TimeUnit.EXCEL):
        read = np.rint((numbers - _EXCEL_EPOCH_DAYS) * MS_PER_DAY)
        put((read >= first_ms) & (read <= MAX_TIMESTAMP_MS), read, _DAYS)
    return ms.astype(np.int64), kinds


def _spelled(
    numbers: NDArray[np.float64], digits: int, clock_digits: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Milliseconds of YYYYMMDD, perhaps with HHMM or HHMMSS after it, and whether it is that."""
    scale = 10**clock_digits
    fits = (numbers >= 10 ** (digits - 1)) & (numbers < 10**digits) & (np.floor(numbers) == numbers)
    whole = np.where(fits, numbers, 19700101 * scale).astype(np.int64)
    days, clock = np.divmod(whole, scale)
    clock = clock * (100 if clock_digits == 4 else 1)
    year, month, day = days // 10_000, days // 100 % 100, days % 100
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    fits &= (month >= 1) & (month <= _MONTHS) & (day >= 1)
    fits &= (hour < 24) & (minute < 60) & (second < 60)
    months = (np.where(fits, year, 1970) - 1970) * 12 + np.where(fits, month, 1) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    next_month = (months + 1).astype("datetime64[M]").astype("datetime64[D]")
    fits &= day <= (next_month - first).astype(np.int64)
    seconds = (first.astype(np.int64) + day - 1) * 86_400 + hour * 3600 + minute * 60 + second
    return seconds * 1000.0, fits


def _read_temporal(column: pa.Array) -> _Draft:
    draft = _Draft(len(column))
    moments = column.cast(pa.timestamp("ms", getattr(column.type, "tz", None)), safe=False)
    there = np.flatnonzero(~_flags(moments.is_null()))
    ms = pc.fill_null(moments.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    draft.put(there, ms[there], is_utc=getattr(column.type, "tz", None) is not None)
    return draft


def _put_iso(
    draft: _Draft, places: NDArray[np.int64], texts: pa.Array, is_left: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Read what Arrow reads by itself; which of the texts that was."""
    is_read = np.zeros(len(texts), np.bool_)
    for ending, is_utc in (("", False), ("Z", True), (" UTC", True)):
        body = texts
        ends = is_left
        if ending:
            ends = is_left & _flags(pc.ends_with(texts, ending))
            body = pc.utf8_slice_codeunits(texts, 0, -len(ending))
        chosen = ends & _flags(pc.match_substring_regex(body, _ISO))
        if not chosen.any():
            continue
        try:
            moments = body.filter(pa.array(chosen)).cast(pa.timestamp("ns"))
        except pa.ArrowInvalid:
            continue  # One of them is no moment; each is looked at by itself.
        ms = moments.cast(pa.int64()).to_numpy(zero_copy_only=False) // 1_000_000
        draft.put(places[chosen], ms, is_utc=is_utc)
        is_read |= chosen
    return is_read


def _is_year_first(days: Sequence[re.Match[str]], now_ms: int) -> bool | None:
    """Tell whether days such as 19-10-20 begin with their year: no year is after the next one."""
    short = [(int(each[1]), int(each[3]), int(each[4])) for each in days if _is_short(each)]
    last_year = utc_datetime(now_ms).year % 100 + 1
    begins_with_day = any(first > last_year or second > _MONTHS for first, second, _ in short)
    ends_with_day = any(last_year < last <= _DAYS_OF_MONTH for _, _, last in short)
    return None if begins_with_day == ends_with_day else ends_with_day


def _is_short(parts: re.Match[str]) -> bool:
    """Tell whether a day may begin with the two digits of its year as well as end with them."""
    return parts[2] != "." and len(parts[1]) == len(parts[4]) == 2


def _written_out(text: str) -> datetime:
    plain = text.replace(",", "")
    for pattern in _WRITTEN_OUT:
        try:
            return datetime.strptime(plain, pattern)
        except ValueError:
            continue
    raise ValueError(_EXPECTED)


def _by_pattern(text: str, pattern: str) -> tuple[int, bool]:
    """Read by a pattern; %Z stands for UTC, of which alone strptime tells no other zone.

    Raises:
        ValueError: it does not fit, or names another zone, which strptime would drop.
    """
    if "%Z" not in pattern:
        return _of_datetime(datetime.strptime(text, pattern))
    for name in ("UTC", "GMT"):
        try:
            return _of_datetime(datetime.strptime(text, pattern.replace("%Z", name)))[0], True
        except ValueError:
            continue
    raise ValueError(_EXPECTED)


def _of_datetime(value: date) -> tuple[int, bool]:
    """Milliseconds, of local time where the moment names no zone, and whether it does."""
    moment = value if isinstance(value, datetime) else datetime.combine(value, time.min)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1), moment.tzinfo is not None


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _utf8(text: str) -> str:
    """Text that Arrow takes; half a surrogate pair is in no time."""
    return text.encode(errors="replace").decode()


def _as_numbers(column: pa.Array) -> pa.Array | None:
    """A column of texts that all are numbers."""
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _flags(column: pa.Array) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = pc.fill_null(column, False).to_numpy(zero_copy_only=False)
    return flags
