"""Reading single values the way different files write them."""

import math
from datetime import UTC, date, datetime, time
from typing import Any

# 1973 in milliseconds, the year 5138 in seconds: a number below it counts seconds.
SMALLEST_MILLISECONDS = 100_000_000_000
_TRUE = {"true", "1", "yes", "y", "t"}
_FALSE = {"false", "0", "no", "n", "f"}


def is_missing(value: Any) -> bool:
    """None, an empty or blank text, and the NaN that tables put for "no value"."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, float) and math.isnan(value)


def read_text(value: Any) -> str:
    """Text without surrounding space; whole numbers read as floating ones lose their ".0".

    Raises:
        ValueError: for what is neither text nor number.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be text")  # noqa: TRY004 - one exception for every bad value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def read_number(value: Any) -> float:
    """
    Raises:
        ValueError: for what is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")  # noqa: TRY004
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise ValueError("must be a number") from None


def read_flag(value: Any) -> bool:
    """
    Raises:
        ValueError: for what says neither yes nor no.
    """
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return text in _TRUE


def read_timestamp_ms(value: Any) -> int:
    """UTC milliseconds since 1970 of an ISO 8601 text, a number (see above) or a date.

    A time without a zone is taken for UTC, a date for its first moment.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, datetime):
        return _milliseconds(value)
    if isinstance(value, date):
        return _milliseconds(datetime.combine(value, time.min))
    if isinstance(value, str) and not _is_long_number(value):
        try:
            # Some exports end in " UTC" where ISO 8601 has "Z".
            return _milliseconds(datetime.fromisoformat(value.strip().removesuffix(" UTC")))
        except ValueError:
            pass
    try:
        number = read_number(value)
    except ValueError:
        raise ValueError("must be ISO 8601, seconds or milliseconds since 1970") from None
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    return round(number if abs(number) >= SMALLEST_MILLISECONDS else number * 1000)


def _is_long_number(text: str) -> bool:
    """Of milliseconds, which could be read as a date, any digit and a time: 1012121212345."""
    return text.strip().isdigit() and len(text.strip()) > len("YYYYMMDD")


def _milliseconds(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)
