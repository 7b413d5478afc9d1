"""The catalogue in HBase: one row an item, the row key is its id, one JSON cell.

The cell of an item that was removed stays, empty: to HBase's compare-and-set an empty cell and none
are the same, so one call writes, replaces and removes, and the table of the older Thrift service,
which can compare before it puts but not before it deletes, is enough.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from recsys.core.domain import Item, revision_of
from recsys.stores.documents import decode_item, item_document
from recsys.stores.hbase.layout import DOCUMENT, ITEMS, table_name
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import PAGE_ROWS, KeyRange, Table

_REMOVED = b""


class HBaseItemStore:
    """`ItemStore` on HBase; what is durable is said at `HBaseInteractionStore`."""

    def __init__(self, pool: HBasePool) -> None:
        self._pool = pool

    def put(self, tenant: str, items: Iterable[Item]) -> int:
        rows = ((item.item_id.encode(), {DOCUMENT: item_document(item)}) for item in items)
        return self._table(tenant).put(rows)

    def get(self, tenant: str, item_id: str) -> Item | None:
        key = item_id.encode()
        return _decoded(key, self._table(tenant).get(key, DOCUMENT))

    def find(self, tenant: str, item_ids: Sequence[str]) -> dict[str, Item]:
        keys = [item_id.encode() for item_id in item_ids]
        found = self._table(tenant).cells(keys, DOCUMENT)
        items = (_decoded(key, cell.value) for key, cell in found.items())
        return {item.item_id: item for item in items if item is not None}

    def first(self, tenant: str, count: int) -> list[Item]:
        return list(islice(self._items(tenant, page_rows=count), count))

    def replace(self, tenant: str, item_id: str, expected: Item | None, item: Item | None) -> bool:
        key, table = item_id.encode(), self._table(tenant)
        # The very bytes, which another version of this code may have written otherwise.
        before = table.get(key, DOCUMENT)
        if revision_of(_decoded(key, before)) != revision_of(expected):
            return False
        return table.put_if(
            key, DOCUMENT, before, _REMOVED if item is None else item_document(item)
        )

    def scan(self, tenant: str) -> Iterator[Item]:
        return self._items(tenant, page_rows=PAGE_ROWS)

    def _items(self, tenant: str, page_rows: int) -> Iterator[Item]:
        for page in self._table(tenant).scan(KeyRange(), [DOCUMENT], page_rows=page_rows):
            for key, document in zip(page.keys, page.columns[DOCUMENT], strict=True):
                item = _decoded(key, document)
                if item is not None:
                    yield item

    def _table(self, tenant: str) -> Table:
        return Table(self._pool, table_name(tenant, ITEMS))


def _decoded(key: bytes, document: bytes | None) -> Item | None:
    return decode_item(key, document) if document else None
