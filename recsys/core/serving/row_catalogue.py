"""The live catalogue by the rows of a model."""

from array import array
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.core.catalogue import CatalogueColumns, CatalogueRow
from recsys.core.serving.filters import Filter, parse_filter

_Kind = TypeVar("_Kind", bound=np.generic)

_NOWHERE = -1
# Masks of filters that rules and requests boost by; each has a byte a row.
_MAX_MASKS = 64


class RowCatalogue:
    """Tells what each row's item is now; rows and columns change while it is in use.

    Args:
        count: of the rows there are at first, of which the catalogue says nothing yet.
    """

    def __init__(self, count: int) -> None:
        self._columns = CatalogueColumns()
        self._positions = array("i", [_NOWHERE]) * count
        # Until something changes.
        self._masks: dict[str, NDArray[np.bool_]] = {}
        self._groups: dict[str, NDArray[np.int32]] = {}
        self._arrivals: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self._positions)

    def follow(self, columns: CatalogueColumns) -> None:
        """Look items up in these columns from now on; each row is to be placed anew."""
        self._columns = columns
        self._forget()

    def append(self) -> None:
        """Add a row."""
        self._positions.append(_NOWHERE)
        self._forget()

    def place(self, row: int, item_id: str) -> None:
        """Look up where the columns have the item of a row."""
        position = self._columns.position(item_id)
        self._positions[row] = _NOWHERE if position is None else position
        self._forget()

    def knows(self, row: int) -> bool:
        """Whether the catalogue says anything of the item of a row."""
        return self._positions[row] != _NOWHERE

    def at(self, row: int) -> CatalogueRow | None:
        """All that the catalogue says of the item of a row; None where it says nothing."""
        position = self._positions[row]
        return None if position == _NOWHERE else self._columns.at(position)

    def title(self, row: int) -> str | None:
        """The title of a row's item; None for none."""
        position = self._positions[row]
        return None if position == _NOWHERE else self._columns.title(position)

    def price(self, row: int) -> float | None:
        """The price of a row's item; None for none."""
        position = self._positions[row]
        return None if position == _NOWHERE else self._columns.price(position)

    def mask(self, condition: Filter) -> NDArray[np.bool_]:
        """Which rows have an item that fulfils a condition."""
        return self._by_row(condition(self._columns))

    def passing(self, text: str) -> NDArray[np.bool_]:
        """The mask of a filter's text; the latest are kept until an item changes.

        Raises:
            InvalidInput: for what is no filter.
        """
        found = self._masks.pop(text, None)
        if found is None:
            found = self.mask(parse_filter(text))
        self._masks[text] = found
        if len(self._masks) > _MAX_MASKS:
            del self._masks[next(iter(self._masks))]
        return found

    def brands(self) -> NDArray[np.int32]:
        """A number for the brand of each row's item, 0 for none."""
        return self._group("brand", lambda columns: columns.brands.codes(len(columns)))

    def narrowest_categories(self) -> NDArray[np.int32]:
        """A number for the last category of each row's item, 0 for none."""
        return self._group("category", _narrowest_categories)

    def arrivals(self) -> NDArray[np.int64]:
        """When shoppers could see each row's item first, UTC ms; 0: nobody knows.

        The very same array until something changes.
        """
        if self._arrivals is None:
            self._arrivals = self._by_row(self._columns.arrivals())
        return self._arrivals

    def _group(
        self, name: str, codes_of: Callable[[CatalogueColumns], NDArray[np.int32]]
    ) -> NDArray[np.int32]:
        if name not in self._groups:
            self._groups[name] = self._by_row(codes_of(self._columns))
        return self._groups[name]

    def _by_row(self, values: NDArray[_Kind]) -> NDArray[_Kind]:
        """The value of each row's item; false, or 0, for one that the catalogue lacks."""
        # The position -1 is that of the last value.
        return np.append(values, values.dtype.type(0)).take(np.array(self._positions))

    def _forget(self) -> None:
        self._masks.clear()
        self._groups.clear()
        self._arrivals = None


def _narrowest_categories(columns: CatalogueColumns) -> NDArray[np.int32]:
    numbers = dict[str | None, int]({None: 0})
    narrowest = [levels[-1] if levels else None for levels in columns.categories.values]
    codes = [numbers.setdefault(name, len(numbers)) for name in narrowest]
    return np.array(codes, np.int32).take(columns.categories.codes(len(columns)))
