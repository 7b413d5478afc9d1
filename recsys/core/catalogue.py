"""The live catalogue: what each item is now, whatever a model was trained with."""

import math
from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class CatalogueRow(NamedTuple):
    """The part of an item that answers are made of."""

    title: str | None
    price: float | None
    available: bool


# Of an item that was removed from the catalogue.
GONE = CatalogueRow(None, None, available=False)


class CatalogueColumns:
    """The rows of a shop's live catalogue, a column a field; items no model knows included.

    An item keeps its position while its row changes.
    """

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}
        self._titles: list[str | None] = []
        self._prices = array("f")
        self._available = bytearray()

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def update(self, rows: Mapping[str, CatalogueRow]) -> None:
        """Put rows in the place of those of the same items."""
        for item_id, row in rows.items():
            price = math.nan if row.price is None else row.price
            position = self._positions.setdefault(item_id, len(self._titles))
            if position == len(self._titles):
                self._titles.append(row.title)
                self._prices.append(price)
                self._available.append(row.available)
            else:
                self._titles[position] = row.title
                self._prices[position] = price
                self._available[position] = row.available

    def get(self, item_id: str) -> CatalogueRow | None:
        """The row of an item; None where the live catalogue says nothing of it."""
        position = self._positions.get(item_id)
        if position is None:
            return None
        price = self._prices[position]
        return CatalogueRow(
            self._titles[position],
            None if math.isnan(price) else price,
            bool(self._available[position]),
        )


class CatalogueChanges(NamedTuple):
    """Some changes of a live catalogue.

    Attributes:
        position: in the log of changes, from where to go on; None before the first.
        rows: the items that changed, as they are now.
    """

    position: str | None
    rows: Mapping[str, CatalogueRow]
