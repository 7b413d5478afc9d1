"""Times as they come in, for every door: UTC milliseconds since 1970 of what was written.

The API takes text as RFC 3339 has it, with a zone, or an integer of milliseconds; gRPC the integer.
Other units are refused by name rather than stored as another century. What files may hold is read
by `recsys.importing.times`.
"""

import re
from datetime import UTC, datetime, timedelta

MS_PER_DAY = 86_400_000.0
# March 1973 in milliseconds, the year 5138 in seconds: a number below it counts seconds.
SMALLEST_MILLISECONDS = 10**11
# The year 5138 in milliseconds, March 1973 in microseconds, and so on.
SMALLEST_MICROSECONDS = 10**14
_SMALLEST_NANOSECONDS = 10**17
# 2100-01-01T00:00:00Z: past it a time is a mistake of some kind.
MAX_TIMESTAMP_MS = 4_102_444_800_000
# Clocks of phones and shops run apart; an event further ahead than this is a mistake.
MAX_CLOCK_SKEW_MS = 24 * 3600 * 1000

_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXPECTED = (
    "must be text such as 2026-01-31T12:00:00Z, with a zone (RFC 3339), or an integer of "
    "milliseconds since 1970"
)


def utc_datetime(time_ms: float) -> datetime:
    """The moment that is so many milliseconds after 1970, in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def range_problem(timestamp_ms: float) -> str | None:
    """Say why no event can have this time, or None when one can."""
    if timestamp_ms < 0:
        return "must not be before 1970"
    if timestamp_ms <= MAX_TIMESTAMP_MS:
        return None
    if timestamp_ms < SMALLEST_MICROSECONDS:
        return "must not be after 2100"
    unit = "microseconds" if timestamp_ms < _SMALLEST_NANOSECONDS else "nanoseconds"
    return f"must not be after 2100: so large a number counts {unit}, not milliseconds"


def future_problem(timestamp_ms: float, now_ms: int) -> str | None:
    """Say why no event can have this time yet, or None when one can."""
    if timestamp_ms > now_ms + MAX_CLOCK_SKEW_MS:
        return "is more than 24 hours in the future"
    return None


def event_time_problem(timestamp_ms: float, now_ms: int) -> str | None:
    """Say why no event can have happened at this time, or None when one can."""
    return range_problem(timestamp_ms) or future_problem(timestamp_ms, now_ms)


def milliseconds_problem(number: int) -> str | None:
    """Say why this cannot be the milliseconds of an event's time, or None when it can."""
    if 0 <= number < SMALLEST_MILLISECONDS:
        return "must not be before March 1973: so small a number counts seconds, not milliseconds"
    return range_problem(number)


def read_time_ms(value: object) -> int:
    """Read a time as the API takes it; one of text may be before 1970 or after 2100.

    Raises:
        ValueError: saying what is expected.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _read_milliseconds(value)
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError(_EXPECTED)
    try:
        moment = datetime.fromisoformat(value.upper())
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"names no moment there is; {_EXPECTED}") from error


def _read_milliseconds(number: float) -> int:
    # For JSON 1.0 is an integer, too.
    if isinstance(number, float) and not number.is_integer():
        raise ValueError(_EXPECTED)
    if reason := milliseconds_problem(int(number)):
        raise ValueError(reason)
    return int(number)
