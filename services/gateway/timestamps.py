"""Points in time as RFC 3339 has them: a date, a time and a zone."""

import re
from datetime import UTC, datetime, timedelta

from pydantic.config import JsonDict

_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
# From 1970 to 2099; that it must not lie in the future no schema can say.
TIMESTAMP_SCHEMA: JsonDict = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^(19[7-9][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-5][0-9]"
    r"(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REASON = "must be text such as 2026-01-31T12:00:00Z, with a zone (RFC 3339)"


def parse_timestamp(value: object) -> int:
    """UTC milliseconds since 1970, negative before.

    Numbers are refused: seconds, milliseconds and microseconds are too easily confused.

    Raises:
        ValueError: saying what is expected.
    """
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError(_REASON)
    try:
        moment = datetime.fromisoformat(value.upper())
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"names no moment there is; {_REASON}") from error
