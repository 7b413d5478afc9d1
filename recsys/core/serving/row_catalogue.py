"""The live catalogue by the rows of a model."""

from array import array

import numpy as np
from numpy.typing import NDArray

from recsys.core.catalogue import CatalogueColumns, CatalogueRow
from recsys.core.serving.filters import Filter

_NOWHERE = -1


class RowCatalogue:
    """Tells what each row's item is now; rows and columns change while it is in use.

    Args:
        count: of the rows there are at first, of which the catalogue says nothing yet.
    """

    def __init__(self, count: int) -> None:
        self._columns = CatalogueColumns()
        self._positions = array("i", [_NOWHERE]) * count

    def __len__(self) -> int:
        return len(self._positions)

    def follow(self, columns: CatalogueColumns) -> None:
        """Look items up in these columns from now on; each row is to be placed anew."""
        self._columns = columns

    def append(self) -> None:
        """Add a row."""
        self._positions.append(_NOWHERE)

    def place(self, row: int, item_id: str) -> None:
        """Look up where the columns have the item of a row."""
        position = self._columns.position(item_id)
        self._positions[row] = _NOWHERE if position is None else position

    def row(self, row: int) -> CatalogueRow | None:
        """The item of a row as the catalogue has it; None where it says nothing of it."""
        position = self._positions[row]
        return None if position == _NOWHERE else self._columns.at(position)

    def mask(self, condition: Filter) -> NDArray[np.bool_]:
        """Which rows have an item that fulfils a condition."""
        # The position -1 is that of the last value, which stands for what the catalogue lacks.
        fulfil = condition(self._columns)
        return np.append(fulfil, False).take(np.array(self._positions))
