"""Options of a time that a command looks at."""

from datetime import UTC, datetime

DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def milliseconds(moment: datetime | None, default: int) -> int:
    """The moment in UTC milliseconds."""
    return default if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)
