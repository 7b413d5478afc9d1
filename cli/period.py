"""Options of a time that a command looks at."""

from datetime import UTC, datetime

from recsys.core.errors import ConfigurationError
from recsys.core.times import MAX_CLOCK_SKEW_MS, MS_PER_DAY

DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]


def milliseconds(moment: datetime | None, default: int) -> int:
    """The moment in UTC milliseconds."""
    return default if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def period(start: datetime | None, end: datetime | None, latest_ms: int) -> tuple[int, int]:
    """The time from --start until before --end, in UTC milliseconds; without them all time.

    Args:
        latest_ms: the end without --end, or with one still to come.

    Raises:
        ConfigurationError: nothing lies between them.
    """
    start_ms, end_ms = milliseconds(start, 0), min(milliseconds(end, latest_ms), latest_ms)
    if start_ms >= end_ms:
        if start is None:
            raise ConfigurationError(
                f"--end {end:%Y-%m-%dT%H:%M:%S} is not after 1970-01-01T00:00:00: no event lies"
                " before it"
            )
        before = f"--end {end:%Y-%m-%dT%H:%M:%S}" if end and end_ms < latest_ms else "now"
        raise ConfigurationError(
            f"--start {start:%Y-%m-%dT%H:%M:%S} is not before {before}: no event lies between them"
        )
    return start_ms, end_ms


def report_period(
    start: datetime | None, end: datetime | None, days: int | None, now_ms: int
) -> tuple[int | None, int]:
    """The time that a report counts, in UTC milliseconds: its start, None for any, and its end.

    Raises:
        ConfigurationError: two options say where it begins, or it ends before that.
    """
    start_ms, end_ms = period(start, end, now_ms + MAX_CLOCK_SKEW_MS)
    if days is None:
        return (None if start is None else start_ms), end_ms
    if start is not None:
        raise ConfigurationError("--start and --days both say where the report begins: give one")
    return min(end_ms, now_ms) - days * int(MS_PER_DAY), end_ms
