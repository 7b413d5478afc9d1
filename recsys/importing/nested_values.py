"""Values within values, by paths such as "outer.inner", and columns of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from recsys.importing.source import Column

_FIRST_ROWS = 100


def keys_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every key of the rows once, in the order in which they appear."""
    return list(dict.fromkeys(key for row in rows for key in row))


def inner_paths(row: Mapping[str, Any], outer: str = "") -> Iterator[str]:
    """Paths of the values within values."""
    for key, value in row.items():
        if isinstance(value, dict):
            yield from inner_paths(value, f"{outer}{key}.")
        elif outer:
            yield f"{outer}{key}"


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """The value of a path, None where there is none; a key may be the whole path."""
    if path in row:
        return row[path]
    value: Any = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def first_rows(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many rows as tell the columns of a file before it is read."""
    return list(islice(rows, _FIRST_ROWS))


def columns_of_rows(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys of the rows, and the paths of the values within their values."""
    inner = (path for row in rows for path in inner_paths(row))
    return [*keys_of(rows), *dict.fromkeys(inner)]


def batch_columns(
    rows: Sequence[Mapping[str, Any]], wanted: Collection[str] | None
) -> dict[str, Column]:
    """A column for every key of the rows, and for the paths among those that are wanted."""
    columns = {key: column_of([row.get(key) for row in rows]) for key in keys_of(rows)}
    paths = [name for name in wanted or () if "." in name and name not in columns]
    return columns | {path: column_of([value_at(row, path) for row in rows]) for path in paths}


def column_of(values: list[Any]) -> Column:
    """Text, the commonest, as an Arrow column."""
    if all(value is None or type(value) is str for value in values):
        try:
            return pa.array(values, pa.string())
        except UnicodeEncodeError:
            # Half a surrogate pair, which the domain refuses for its row.
            pass
    return values
