"""Times of the day, which some files have in a column of their own."""

import re
from collections.abc import Iterable
from datetime import time, timedelta
from typing import Any

from recsys.importing.values import is_missing

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:\s*([AaPp])\.?[Mm]\.?)?")
_WHOLE_NUMBER = re.compile(r"\d+(\.0*)?")


def clock_scale(values: Iterable[Any]) -> int | None:
    """What makes HHMMSS of a column's times of the day in digits: hours alone, HHMM, or that."""
    texts = [str(value).strip() for value in values if not is_missing(value)]
    whole = [text for text in texts if _WHOLE_NUMBER.fullmatch(text) and float(text) >= 1]
    if not whole:
        return None
    largest, digits = max(map(float, whole)), max(len(text.partition(".")[0]) for text in whole)
    if largest >= 2400 or digits > 4:
        return 1
    return 100 if largest > 23 else 10_000


def read_clock(value: Any, scale: int = 1) -> timedelta:
    """Read a time of the day: 8:26, 8:26:00 pm, 82600, or a part of a day as Excel has it."""
    if isinstance(value, time):
        return timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second,
            microseconds=value.microsecond,
        )  # fmt: skip
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    if found := _CLOCK.fullmatch(text):
        hour = int(found[1]) if not found[5] else int(found[1]) % 12
        hour += 12 if (found[5] or "").lower() == "p" else 0
        fraction = float(f"0.{found[4] or 0}")
        return _time_of_day(hour, int(found[2]), int(found[3] or 0) + fraction)
    if 0 <= (number := float(text)) < 1:
        return timedelta(days=number)
    whole = int(number) * scale
    return _time_of_day(whole // 10_000, whole // 100 % 100, whole % 100)


def _time_of_day(hour: int, minute: int, second: float) -> timedelta:
    if hour > 23 or minute > 59 or second >= 60:
        raise ValueError("is no time of the day")
    return timedelta(hours=hour, minutes=minute, seconds=second)
