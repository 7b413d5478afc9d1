"""Reading whole columns the way `recsys import` reads single values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.core.domain import identifier_problem, number_problem
from recsys.core.limits import MAX_ID_CHARACTERS
from recsys.core.times import (
    SMALLEST_MICROSECONDS,
    SMALLEST_MILLISECONDS,
    event_time_problem,
    range_problem,
    read_file_time_ms,
)
from recsys.importing.values import is_missing, read_number, read_text

# Shorter texts of digits may be dates of ISO 8601: 20240131.
_EPOCH_DIGITS = 9


class UnreadableValue(Exception):
    """The value at this place of a column cannot be read, and why."""

    def __init__(self, place: int, reason: str) -> None:
        self.place = place
        super().__init__(reason)


def read_ids(column: pa.Array) -> pa.DictionaryArray:
    """A column of ids as an encoded column of text; nothing stays nothing.

    Raises:
        UnreadableValue: for what is neither text nor number, and what cannot be an id.
    """
    if not pa.types.is_dictionary(column.type):
        try:
            column = column.dictionary_encode()
        except pa.ArrowNotImplementedError:
            raise UnreadableValue(0, "must be text") from None
    codes = column.indices.cast(pa.int32())
    ids = _texts(codes, column.dictionary)
    _refuse_bad_ids(codes, ids)
    return pa.DictionaryArray.from_arrays(codes, ids)


def _texts(codes: pa.Array, ids: pa.Array) -> pa.Array:
    if pa.types.is_string(ids.type):
        return ids
    if pa.types.is_integer(ids.type) or pa.types.is_large_string(ids.type):
        return ids.cast(pa.string())
    try:
        return pa.array(_one_by_one(ids, read_text), pa.string())
    except UnreadableValue as error:
        raise UnreadableValue(_first_row(codes, error.place) or 0, str(error)) from None


def _refuse_bad_ids(codes: pa.Array, ids: pa.Array) -> None:
    """Check distinct ids once each, by the rule of the domain; blank ones are for the caller."""
    too_long = pc.greater(pc.utf8_length(ids), MAX_ID_CHARACTERS)
    # Arrow finds the few that may break the rule: asking Python about millions takes seconds.
    suspicious = pc.fill_null(pc.or_(too_long, pc.invert(pc.utf8_is_printable(ids))), False)
    for code in np.flatnonzero(suspicious.to_numpy(zero_copy_only=False)).tolist():
        text = ids[code].as_py().strip()
        if text and (reason := identifier_problem(text)):
            place = _first_row(codes, code)
            if place is not None:
                raise UnreadableValue(place, reason)


def _first_row(codes: pa.Array, code: int) -> int | None:
    """First place of each code; None for an id that only rows left out had."""
    place = pc.index(codes, code).as_py()
    return None if place < 0 else int(place)


def read_values(column: pa.Array) -> NDArray[np.float32]:
    """A column of quantities, none of them negative; where there is none it is one.

    Raises:
        UnreadableValue: for what the import would not take as a quantity.
    """
    try:
        numbers = pc.fill_null(_numbers(column), 1.0).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        numbers = np.array(_one_by_one(column, lambda v: 1.0 if is_missing(v) else read_number(v)))
    if pa.types.is_floating(column.type):
        # What tables put for "no value".
        numbers = np.where(np.isnan(numbers), 1.0, numbers)
    _refuse_extremes(numbers, number_problem)
    return np.asarray(numbers, np.float32)


def read_timestamps_ms(column: pa.Array, now_ms: int) -> NDArray[np.int64]:
    """UTC milliseconds since 1970 of a column as `recsys.core.times` reads files.

    Args:
        now_ms: events may be a day ahead of it, no more.

    Raises:
        UnreadableValue: for what is no time, or one no event can have, and where there is none.
    """
    if column.null_count:
        raise UnreadableValue(int(np.argmax(column.is_null().to_numpy(False))), "is missing")
    times = _times_ms(column)
    _refuse_extremes(times, lambda time_ms: event_time_problem(time_ms, now_ms))
    return times


def _refuse_extremes(numbers: NDArray[np.generic], problem: Callable[[float], str | None]) -> None:
    """Raise where the lowest or the highest number breaks a rule that sets a range.

    numpy takes NaN for both.
    """
    if not len(numbers):
        return
    for place in (int(np.argmin(numbers)), int(np.argmax(numbers))):
        if reason := problem(numbers[place].item()):
            raise UnreadableValue(place, reason)


def _times_ms(column: pa.Array) -> NDArray[np.int64]:
    for read in (_epochs, _moments):
        try:
            return read(column)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    return np.array(_one_by_one(column, read_file_time_ms), np.int64)


def _numbers(column: pa.Array) -> pa.Array:
    """The column as float64, for the types that the import reads numbers from."""
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or _is_text(kind)):
        raise pa.ArrowInvalid("no numbers")
    return column.cast(pa.float64())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _epochs(column: pa.Array) -> NDArray[np.int64]:
    if _is_text(column.type) and pc.min(pc.utf8_length(column)).as_py() < _EPOCH_DIGITS:
        raise pa.ArrowInvalid("may be dates")
    numbers = _numbers(column).to_numpy(zero_copy_only=False)
    if not np.isfinite(numbers).all():
        raise pa.ArrowInvalid("not all finite")
    if (numbers >= SMALLEST_MICROSECONDS).any():
        place = int(np.argmax(numbers >= SMALLEST_MICROSECONDS))
        raise UnreadableValue(place, str(range_problem(numbers[place])))
    scale = np.where(np.abs(numbers) >= SMALLEST_MILLISECONDS, 1, 1000)
    # Any negative number is refused, and the largest ones do not fit into an int64.
    return np.asarray(np.rint(np.maximum(numbers * scale, -1.0)), np.int64)


def _moments(column: pa.Array) -> NDArray[np.int64]:
    """Times that Arrow reads by itself; one without a zone is UTC."""
    try:
        moments = column.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        moments = column.cast(pa.timestamp("us", "UTC"))
    microseconds = moments.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return np.asarray(np.rint(microseconds / 1000), np.int64)


def _one_by_one(column: pa.Array, read: Callable[[Any], Any]) -> list[Any]:
    found = []
    for place, value in enumerate(column.to_pylist()):
        try:
            found.append(read(value))
        except ValueError as error:
            raise UnreadableValue(place, str(error)) from None
    return found
