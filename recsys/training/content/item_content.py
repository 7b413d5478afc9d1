"""Content of items in Arrow columns: a few bytes a value, whatever its kind."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recsys.core.arrivals import stands_out_as_new
from recsys.core.catalogue import CatalogueRow
from recsys.core.domain import Attribute, Item

# An attribute has one of the three values, the others are null.
_ATTRIBUTE = pa.struct(
    [("name", pa.string()), ("text", pa.string()), ("number", pa.float64()), ("flag", pa.bool_())]
)
_OF_A_ROW = ("title", "categories", "brand", "price", "attributes")
CONTENT_TYPES = {
    "title": pa.string(),
    "categories": pa.list_(pa.string()),
    "brand": pa.string(),
    "price": pa.float64(),
    "attributes": pa.list_(_ATTRIBUTE),
    "arrived_ms": pa.int64(),
}


@dataclass(frozen=True)
class ItemContent:
    """The content of n items, an item a row; null where the catalogue says nothing.

    Attributes:
        title, brand: string.
        categories: list of string, from broad to narrow.
        price: float64.
        attributes: list of name and text, number or flag.
        is_new: (n,) bool, see `recsys.core.arrivals`.
    """

    title: pa.Array
    categories: pa.Array
    brand: pa.Array
    price: pa.Array
    attributes: pa.Array
    is_new: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.title)

    def row(self, index: int) -> CatalogueRow:
        """The content of one item, as a recommender has it."""
        found = {name: getattr(self, name)[index].as_py() for name in _OF_A_ROW}
        attributes = {each.pop("name"): each for each in found.pop("attributes") or ()}
        return CatalogueRow(
            title=found["title"],
            price=found["price"],
            available=True,
            categories=tuple(found["categories"] or ()),
            brand=found["brand"],
            attributes={
                name: value
                for name, values in attributes.items()
                for value in values.values()
                if value is not None
            },
        )

    @classmethod
    def from_table(cls, table: pa.Table, as_of_ms: int | None) -> "ItemContent":
        """Take the columns of `CONTENT_TYPES` from a table of n rows.

        Args:
            as_of_ms: when it is judged which are new; None where times mean nothing, and none is.
        """
        columns = {name: table[name].combine_chunks() for name in CONTENT_TYPES}
        arrivals_ms = columns.pop("arrived_ms").fill_null(0).to_numpy(zero_copy_only=False)
        if as_of_ms is None:
            return cls(**columns, is_new=np.zeros(len(table), np.bool_))
        return cls(**columns, is_new=stands_out_as_new(arrivals_ms, as_of_ms))

    @classmethod
    def from_items(cls, items: Iterable[Item], as_of_ms: int | None = None) -> "ItemContent":
        """The content of items, in their order; `as_of_ms` as in `from_table`."""
        return cls.from_table(content_table(list(items)), as_of_ms)


def content_table(items: list[Item]) -> pa.Table:
    """The columns of `CONTENT_TYPES` of n items."""
    columns = {
        "title": [item.title for item in items],
        "categories": [item.categories for item in items],
        "brand": [item.brand for item in items],
        "price": [item.price for item in items],
        "attributes": [_attributes(item) for item in items],
        "arrived_ms": [item.arrived_ms for item in items],
    }
    return pa.table(columns, pa.schema(CONTENT_TYPES.items()))


def _attributes(item: Item) -> list[dict[str, Attribute]]:
    return [{"name": name, _kind(value): value} for name, value in item.attributes.items()]


def _kind(value: Attribute) -> str:
    # A bool is a number to Python.
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number"
