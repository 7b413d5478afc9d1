"""Whole columns of ids and numbers, read as single values are: distinct ones, and those once."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.core.domain import identifier_problem, number_problem, query_problem
from recsys.core.limits import MAX_ID_CHARACTERS, MAX_NUMBER
from recsys.importing.source import Column
from recsys.importing.values import (
    EXPONENT,
    FORMULA_TEXT,
    JSON_TEXT,
    MISSING_WORDS,
    WHOLE_FLOAT,
    Decimals,
    has_decimal_comma,
    is_missing,
    read_id,
    read_number,
    read_text,
)

# Printable ASCII without space around it: what nearly all ids are, and needs no further look.
_PLAIN_ID = r"^[!-~]([ -~]*[!-~])?$"
_NUMBER_AS_IS = r"^[+-]?[0-9]+(\.[0-9]+)?$"

Problems = dict[int, str]
_Value = TypeVar("_Value")


class Ids(NamedTuple):
    """(n,) ids of a column.

    Attributes:
        names: distinct ids.
        codes: (n,) position in `names`; -1 where there is none.
        problems: why not, by place.
    """

    names: list[str]
    codes: NDArray[np.int32]
    problems: Problems

    def only(self, chosen: slice | NDArray[Any]) -> "Ids":
        return Ids(self.names, self.codes[chosen], {})


class Numbers(NamedTuple):
    """(n,) numbers of a column, NaN where there is none, and why not, by place."""

    values: NDArray[np.float64]
    problems: Problems


def read_ids(column: Column, named: Callable[[str], str] = lambda name: name) -> Ids:
    """Read a column of ids.

    Args:
        named: what an id stands for; raises ValueError for one that cannot be.
    """

    def read(value: str | _Odd) -> str | None:
        name = _checked_id(value) if isinstance(value, _Odd) else value
        return None if name is None else named(name)

    codes, values = _distinct(column)
    return _coded(codes, _quickly_read(values), read)


def read_queries(column: Column) -> Ids:
    """Read a column of search queries."""

    def read(value: Any) -> str | None:
        if is_missing(value):
            return None
        text = read_text(value)
        if problem := query_problem(text):
            raise ValueError(problem)
        return text

    codes, values = _distinct(column)
    return _coded(codes, values if isinstance(values, list) else values.to_pylist(), read)


def _coded(
    codes: NDArray[np.int64], values: list[_Value], read: Callable[[_Value], str | None]
) -> Ids:
    """Ids of rows whose distinct values are read once; `read` may raise ValueError."""
    names, places = dict[str, int](), np.full(len(values) + 1, -1, np.int32)
    reasons = Problems()
    for place, value in enumerate(values):
        try:
            name = read(value)
        except ValueError as error:
            reasons[place] = str(error)
            continue
        if name is not None:
            places[place] = names.setdefault(name, len(names))
    return Ids(list(names), places[codes], _of_rows(codes, reasons))


class _Odd(NamedTuple):
    """A value that has to be looked at."""

    value: Any


def _quickly_read(values: Column) -> list[str | _Odd]:
    """Plain ids as they are, and the others to look at."""
    if isinstance(values, list):
        return [_Odd(value) for value in values]
    if pa.types.is_integer(values.type):
        return list(values.cast(pa.string()).to_pylist())
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return [_Odd(value) for value in values.to_pylist()]
    is_odd = pc.or_(
        pc.invert(pc.match_substring_regex(values, _PLAIN_ID)),
        pc.or_(
            pc.is_in(values, _missing().cast(values.type)),
            pc.or_(
                pc.match_substring_regex(
                    values, f"{WHOLE_FLOAT}|{EXPONENT}|{FORMULA_TEXT}|{JSON_TEXT}"
                ),
                pc.greater(pc.binary_length(values), MAX_ID_CHARACTERS),
            ),
        ),
    )
    read: list[Any] = values.to_pylist()
    for place in np.flatnonzero(is_odd.to_numpy(zero_copy_only=False)).tolist():
        read[place] = _Odd(read[place])
    return read


@cache
def _missing() -> pa.Array:
    # The first array of a process imports pandas, for which `--help` need not wait.
    return pa.array(["", *MISSING_WORDS])


def _checked_id(odd: _Odd) -> str | None:
    if is_missing(odd.value):
        return None
    text = read_id(odd.value)
    if problem := identifier_problem(text):
        raise ValueError(problem)
    return text


class NumberReader:
    """Reads the numbers of a column of one file, whose decimal comma shows in its first rows."""

    def __init__(self, decimals: Decimals) -> None:
        self._decimals = decimals

    def read(self, column: Column) -> Numbers:
        """Read a column of what is not negative."""
        numbers = None if isinstance(column, list) else self._quickly_read(column)
        problems = Problems()
        if numbers is None:
            numbers, problems = self._read_distinct(column)
        with np.errstate(invalid="ignore"):
            wrong = (numbers < 0) | (numbers > MAX_NUMBER)
        for place in np.flatnonzero(wrong).tolist():
            problems[place] = str(number_problem(float(numbers[place])))
        numbers[wrong] = np.nan
        return Numbers(numbers, problems)

    def _quickly_read(self, column: pa.Array) -> NDArray[np.float64] | None:
        """What is a number in Arrow, or text as Arrow reads it; None for all else."""
        kind = column.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            if not pa.types.is_string(kind) or self._decimals is Decimals.COMMA:
                return None
            if not pc.all(pc.match_substring_regex(column, _NUMBER_AS_IS)).as_py():
                return None
        return np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))

    def _read_distinct(self, column: Column) -> tuple[NDArray[np.float64], Problems]:
        codes, values = _distinct(column)
        found = values if isinstance(values, list) else values.to_pylist()
        if self._decimals is Decimals.AUTO and any(map(has_decimal_comma, found)):
            self._decimals = Decimals.COMMA
        read, reasons = np.full(len(found) + 1, np.nan), Problems()
        for place, value in enumerate(found):
            if is_missing(value):
                continue
            try:
                read[place] = read_number(value, self._decimals)
            except ValueError as error:
                reasons[place] = str(error)
        return read[codes], _of_rows(codes, reasons)


def _distinct(column: Column) -> tuple[NDArray[np.int64], Column]:
    """Each row's position in distinct values, and these; -1 where there is none."""
    if not isinstance(column, list):
        try:
            encoded = column.dictionary_encode()
        except pa.ArrowNotImplementedError:
            column = column.to_pylist()
        else:
            codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
            return codes.astype(np.int64), encoded.dictionary
    codes = np.array([-1 if value is None else n for n, value in enumerate(column)], np.int64)
    return codes, column


def _of_rows(codes: NDArray[np.int64], reasons: Problems) -> Problems:
    """The problems of rows, by those of their distinct values."""
    if not reasons:
        return {}
    at_fault = np.flatnonzero(np.isin(codes, list(reasons)))
    return {place: reasons[int(codes[place])] for place in at_fault.tolist()}
