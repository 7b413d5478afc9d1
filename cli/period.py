"""Options of a time that a command looks at."""

from datetime import UTC, datetime

from recsys.core.errors import ConfigurationError
from recsys.core.times import MAX_CLOCK_SKEW_MS, MS_PER_DAY

DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def milliseconds(moment: datetime | None, default: int) -> int:
    """The moment in UTC milliseconds."""
    return default if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def report_period(
    start: datetime | None, end: datetime | None, days: int | None, now_ms: int
) -> tuple[int | None, int]:
    """The time that a report counts, in UTC milliseconds: its start, None for any, and its end.

    Raises:
        ConfigurationError: two options say where it begins.
    """
    end_ms = milliseconds(end, now_ms + MAX_CLOCK_SKEW_MS)
    if days is None:
        return (None if start is None else milliseconds(start, 0)), end_ms
    if start is not None:
        raise ConfigurationError("--start and --days both say where the report begins: give one")
    return min(end_ms, now_ms) - days * int(MS_PER_DAY), end_ms
