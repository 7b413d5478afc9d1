"""The live catalogue: what each item is now, whatever a model was trained with."""

import math
from array import array
from collections.abc import Hashable, Iterator, Mapping
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from recsys.core.domain import Attribute

NO_ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType({})


class CatalogueRow(NamedTuple):
    """The part of an item that answers are made of.

    Attributes:
        available: whether it can be bought, at the times at which it is shown.
        publish_ms, expire_ms: it is shown from the one on and before the other; None: no bound.
        created_ms: when the shop got it; None where nobody knows.
    """

    title: str | None
    price: float | None
    available: bool
    categories: tuple[str, ...] = ()
    brand: str | None = None
    attributes: Mapping[str, Attribute] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ()
    publish_ms: int | None = None
    expire_ms: int | None = None
    created_ms: int | None = None


# Values of a column that no row has any more are kept until there are this many, and more of them
# than of those that rows have: then all are forgotten.
_SPARE_VALUES = 1000

# Of an item that was removed from the catalogue.
GONE = CatalogueRow(None, None, available=False)

Value = TypeVar("Value", bound=Hashable)


class EncodedColumn(Generic[Value]):
    """A column of few distinct values: each row holds the position of its own in a list of them.

    A condition is decided once a value, whatever the number of rows.

    Attributes:
        values: the distinct ones; None, for a row without one, is the first.
    """

    def __init__(self) -> None:
        self.values: list[Value | None] = [None]
        self._codes: dict[tuple[type, Value], int] = {}
        self._rows = array("i")

    def __setitem__(self, row: int, value: Value | None) -> None:
        code = 0
        if value is not None:
            # True and 1.0 are equal, and no shop means the same by them.
            code = self._codes.setdefault((type(value), value), len(self.values))
        if code == len(self.values):
            self.values.append(value)
            if code > _SPARE_VALUES + 2 * len(self._rows):
                self._forget_unused(row)
                code = len(self.values) - 1
        if row >= len(self._rows):
            if not code:
                return
            self._rows.frombytes(bytes(self._rows.itemsize * (row + 1 - len(self._rows))))
        self._rows[row] = code

    def __getitem__(self, row: int) -> Value | None:
        return self.values[self._rows[row]] if row < len(self._rows) else None

    def _forget_unused(self, row: int) -> None:
        """Keep the values that rows have, and the newest, which is about to be that of `row`."""
        newest = self.values[-1]
        if row < len(self._rows):
            self._rows[row] = 0
        used, rows = np.unique(np.array([0, *self._rows], np.int32), return_inverse=True)
        self.values = [self.values[code] for code in used.tolist()] + [newest]
        self._rows = array("i", rows[1:].astype(np.int32).tobytes())
        self._codes = {(type(value), value): code for code, value in enumerate(self.values) if code}  # type: ignore[misc]

    def codes(self, count: int) -> NDArray[np.int32]:
        """Positions of the values of the first `count` rows, (count,); a copy."""
        codes = np.zeros(count, np.int32)
        codes[: len(self._rows)] = self._rows
        return codes


class CatalogueColumns:
    """The rows of a shop's live catalogue, a column a field; items no model knows included.

    An item keeps its position while its row changes.

    Attributes:
        brands, categories, tags: encoded; the categories of an item are one value, like its tags.
        attributes: a column for each name that any item has.
    """

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}
        self._titles: list[str | None] = []
        self._prices = array("d")
        self._available = bytearray()
        # 0 where nobody knows.
        self._created = array("q")
        self.brands = EncodedColumn[str]()
        self.categories = EncodedColumn[tuple[str, ...]]()
        self.tags = EncodedColumn[tuple[str, ...]]()
        # Publish and expiry of the few items that have one.
        self._periods: dict[int, tuple[int | None, int | None]] = {}
        # When one of these is to come, the next first; some are no longer an item's.
        self._turns: list[tuple[int, str]] = []
        self._now_ms = 0
        self.attributes: dict[str, EncodedColumn[Attribute]] = {}
        self._names = EncodedColumn[tuple[str, ...]]()

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def position(self, item_id: str) -> int | None:
        """Where an item stands in every column; None where the live catalogue has none of it."""
        return self._positions.get(item_id)

    def update(self, rows: Mapping[str, CatalogueRow]) -> None:
        """Put rows in the place of those of the same items."""
        for item_id, row in rows.items():
            price = math.nan if row.price is None else row.price
            position = self._positions.setdefault(item_id, len(self._titles))
            if position == len(self._titles):
                self._titles.append(row.title)
                self._prices.append(price)
                self._available.append(row.available)
                self._created.append(row.created_ms or 0)
            else:
                self._titles[position] = row.title
                self._prices[position] = price
                self._available[position] = row.available
                self._created[position] = row.created_ms or 0
            self.brands[position] = row.brand
            self.categories[position] = row.categories or None
            self.tags[position] = row.tags or None
            self._set_attributes(position, row.attributes)
            self._set_period(item_id, position, row)

    def get(self, item_id: str) -> CatalogueRow | None:
        """The row of an item; None where the live catalogue says nothing of it."""
        position = self._positions.get(item_id)
        return None if position is None else self.at(position)

    def at(self, position: int) -> CatalogueRow:
        """The row of the item that stands there in every column."""
        names = self._names[position] or ()
        values = {name: self.attributes[name][position] for name in names}
        return CatalogueRow(
            self.title(position),
            self.price(position),
            bool(self._available[position]),
            self.categories[position] or (),
            self.brands[position],
            {name: value for name, value in values.items() if value is not None},
            self.tags[position] or (),
            *self._periods.get(position, (None, None)),
            self._created[position] or None,
        )

    def is_available(self, item_id: str) -> bool | None:
        """Tell whether an item may be shown now; None where the live catalogue says nothing of it.

        Now is when `turn` was called last.
        """
        position = self._positions.get(item_id)
        if position is None or not self._available[position]:
            return None if position is None else False
        publish_ms, expire_ms = self._periods.get(position, (None, None))
        is_published = publish_ms is None or publish_ms <= self._now_ms
        return is_published and (expire_ms is None or self._now_ms < expire_ms)

    def turn(self, now_ms: int) -> list[str]:
        """Let time pass; the ids of items whose publish or expiry time has come by it."""
        self._now_ms = now_ms
        turned = []
        while self._turns and self._turns[0][0] <= now_ms:
            turned.append(heappop(self._turns)[1])
        return turned

    def title(self, position: int) -> str | None:
        return self._titles[position]

    def price(self, position: int) -> float | None:
        price = self._prices[position]
        return None if math.isnan(price) else price

    def prices(self) -> NDArray[np.float64]:
        """Price of each position, NaN for none; a copy."""
        return np.array(self._prices)

    def arrivals(self) -> NDArray[np.int64]:
        """When shoppers could see the item of each position first, UTC ms; 0: nobody knows."""
        arrivals = np.array(self._created, np.int64)
        for position, (publish_ms, _) in self._periods.items():
            arrivals[position] = max(arrivals[position], publish_ms or 0)
        return arrivals

    def _set_period(self, item_id: str, position: int, row: CatalogueRow) -> None:
        period = row.publish_ms, row.expire_ms
        if period == self._periods.get(position, (None, None)):
            return
        if period == (None, None):
            del self._periods[position]
            return
        self._periods[position] = period
        for moment_ms in period:
            if moment_ms is not None and moment_ms > self._now_ms:
                heappush(self._turns, (moment_ms, item_id))

    def _set_attributes(self, position: int, attributes: Mapping[str, Attribute]) -> None:
        names = tuple(sorted(attributes)) or None
        before = self._names[position]
        for name in before or ():
            if name not in attributes:
                self.attributes[name][position] = None
        for name, value in attributes.items():
            self.attributes.setdefault(name, EncodedColumn())[position] = value
        self._names[position] = names


class CatalogueChanges(NamedTuple):
    """Some changes of a live catalogue.

    Attributes:
        position: in the log of changes, from where to go on; None before the first.
        rows: the items that changed, as they are now.
    """

    position: str | None
    rows: Mapping[str, CatalogueRow]
