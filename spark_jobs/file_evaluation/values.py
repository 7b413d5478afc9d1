"""Reading whole columns the way `recsys import` reads single values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.core.times import (
    SMALLEST_MICROSECONDS,
    SMALLEST_MILLISECONDS,
    range_problem,
    read_file_time_ms,
)
from spark_jobs.bulk_import.values import is_missing, read_number, read_text

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
        UnreadableValue: for what is neither text nor number.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    ids = column.dictionary
    if pa.types.is_integer(ids.type) or pa.types.is_large_string(ids.type):
        ids = ids.cast(pa.string())
    elif not pa.types.is_string(ids.type):
        ids = pa.array(_one_by_one(ids, read_text), pa.string())
    return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), ids)


def read_values(column: pa.Array) -> NDArray[np.float32]:
    """A column of numbers; where there is none it is one.

    Raises:
        UnreadableValue: for what is no finite number.
    """
    try:
        numbers = pc.fill_null(column.cast(pa.float64()), 1.0)
        found = numbers.to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        found = np.array(_one_by_one(column, lambda v: 1.0 if is_missing(v) else read_number(v)))
    if not np.isfinite(found).all():
        raise UnreadableValue(int(np.argmin(np.isfinite(found))), "must be a finite number")
    return np.asarray(found, np.float32)


def read_timestamps_ms(column: pa.Array) -> NDArray[np.int64]:
    """UTC milliseconds since 1970 of a column as `recsys.core.times` reads files.

    Raises:
        UnreadableValue: for what is no time, and where there is none.
    """
    if column.null_count:
        raise UnreadableValue(int(np.argmax(column.is_null().to_numpy(False))), "is missing")
    for read in (_epochs, _moments):
        try:
            return read(column)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    return np.array(_one_by_one(column, read_file_time_ms), np.int64)


def _epochs(column: pa.Array) -> NDArray[np.int64]:
    if pa.types.is_string(column.type) and pc.min(pc.utf8_length(column)).as_py() < _EPOCH_DIGITS:
        raise pa.ArrowInvalid("may be dates")
    numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if not np.isfinite(numbers).all():
        raise pa.ArrowInvalid("not all finite")
    if (numbers >= SMALLEST_MICROSECONDS).any():
        place = int(np.argmax(numbers >= SMALLEST_MICROSECONDS))
        raise UnreadableValue(place, str(range_problem(numbers[place])))
    scale = np.where(np.abs(numbers) >= SMALLEST_MILLISECONDS, 1, 1000)
    return np.asarray(np.rint(numbers * scale), np.int64)


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
