"""Reading single values the way different files write them; for times see `recsys.core.times`."""

import math
from typing import Any

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
