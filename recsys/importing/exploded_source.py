"""Rows that hold a list, such as orders with their lines: a row for each of its elements."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recsys.core.errors import ConfigurationError
from recsys.importing.nested_values import column_of, columns_of_rows, value_at
from recsys.importing.source import BadRow, Column, Elements, RawBatch, RowReader


class ExplodedSource:
    """A row for each element of a list, with what the row has beside it.

    The values of an element are the columns "list.key"; an element that holds no values by name is
    the column "list" itself. A row with an empty list makes no row, one without the list is bad.

    Args:
        source: a reader of rows with lists: JSON or Parquet.
        path: the column that holds the list.

    Raises:
        ConfigurationError: the first rows have no such column, or no list in it.
    """

    def __init__(self, source: RowReader, path: str) -> None:
        self._source, self._path = source, path
        self.size = source.size
        names = source.columns()
        if path not in names:
            raise ConfigurationError(f"--explode {path}: {_why_missing(path, names)}")
        self._outer = [name for name in names if not self._is_inner(name)]
        self._inner = self._inner_columns()

    def columns(self) -> list[str]:
        return [*self._outer, *self._inner]

    def _inner_columns(self) -> list[str]:
        """Those of the first rows; later ones may have more."""
        first = next(self.batches(), None)
        if first is None:
            return []
        if first.bad and not len(first):
            bad = first.bad[0]
            raise ConfigurationError(f"--explode {bad.reason}, at line {bad.line}")
        return [name for name in first.columns if self._is_inner(name)]

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        names = self._outer if wanted is None else [n for n in wanted if not self._is_inner(n)]
        for batch in self._source.batches([*names, self._path]):
            yield self._exploded(batch)

    def _is_inner(self, name: str) -> bool:
        return name == self._path or name.startswith(f"{self._path}.")

    def _exploded(self, batch: RawBatch) -> RawBatch:
        held = batch.columns.get(self._path)
        lists = _values(held) if held is not None else [None] * len(batch)
        bad = [
            BadRow(int(line), f"{self._path}: is no list", batch.raw(place))
            for place, (line, found) in enumerate(zip(batch.lines, lists, strict=True))
            if not isinstance(found, list)
        ]
        counts = [len(found) if isinstance(found, list) else 0 for found in lists]
        owners = np.repeat(np.arange(len(batch)), counts)
        elements = [each for found in lists if isinstance(found, list) for each in found]
        outer = {
            name: _taken(column, owners)
            for name, column in batch.columns.items()
            if not self._is_inner(name)
        }
        return RawBatch(
            columns=outer | self._columns_of(elements),
            lines=batch.lines[owners],
            bad=sorted([*batch.bad, *bad], key=lambda row: row.line),
            position=batch.position,
            raw=self._row_of(batch, owners, elements),
            elements=Elements.of(counts, outer),
        )

    def _columns_of(self, elements: list[Any]) -> dict[str, Column]:
        rows = [each if isinstance(each, dict) else {} for each in elements]
        found: dict[str, Column] = {
            f"{self._path}.{path}": column_of([value_at(row, path) for row in rows])
            for path in columns_of_rows(rows)
        }
        if any(not isinstance(each, dict) for each in elements):
            plain = [None if isinstance(each, dict) else each for each in elements]
            found[self._path] = column_of(plain)
        return found

    def _row_of(
        self, batch: RawBatch, owners: NDArray[np.int64], elements: list[Any]
    ) -> Callable[[int], Any]:
        """The row with this element alone, which can be read again."""
        return lambda place: _with(batch.raw(int(owners[place])), self._path, [elements[place]])


def _why_missing(path: str, names: Collection[str]) -> str:
    """Why no row has a value at a path."""
    for name in names:
        if path.startswith(f"{name}."):
            return (
                f"{name} is a column without values by name; if it is a list, its lists cannot be"
                f" read: write a file of the elements of {name} first (jq -c '.{name}[]')"
            )
    return f"there is no such column; the file has: {', '.join(names)}"


def _values(column: Column) -> list[Any]:
    return column if isinstance(column, list) else column.to_pylist()


def _taken(column: Column, places: NDArray[np.int64]) -> Column:
    if isinstance(column, list):
        return [column[place] for place in places]
    return column.take(pa.array(places))


def _with(row: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The row with another value at a path."""
    key, _, rest = path.partition(".")
    if path in row or not rest:
        return {**row, path: value}
    return {**row, key: _with(row[key], rest, value)}
