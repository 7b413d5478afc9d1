"""The catalogue in HBase: one row an item, the row key is its id, one JSON cell."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from recsys.core.domain import Item
from recsys.stores.hbase.cells import decode_item, item_document
from recsys.stores.hbase.layout import DOCUMENT, ITEMS, table_name
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import PAGE_ROWS, KeyRange, Table


class HBaseItemStore:
    """`ItemStore` on HBase; what is durable is said at `HBaseInteractionStore`."""

    def __init__(self, pool: HBasePool) -> None:
        self._pool = pool

    def put(self, tenant: str, items: Iterable[Item]) -> int:
        rows = ((item.item_id.encode(), {DOCUMENT: item_document(item)}) for item in items)
        return self._table(tenant).put(rows)

    def get(self, tenant: str, item_id: str) -> Item | None:
        key = item_id.encode()
        document = self._table(tenant).get(key, DOCUMENT)
        return None if document is None else decode_item(key, document)

    def find(self, tenant: str, item_ids: Sequence[str]) -> dict[str, Item]:
        keys = [item_id.encode() for item_id in item_ids]
        found = self._table(tenant).cells(keys, DOCUMENT)
        items = (decode_item(key, cell.value) for key, cell in found.items())
        return {item.item_id: item for item in items}

    def first(self, tenant: str, count: int) -> list[Item]:
        return list(islice(self._items(tenant, page_rows=count), count))

    def delete(self, tenant: str, item_id: str) -> None:
        self._table(tenant).delete(item_id.encode(), DOCUMENT)

    def scan(self, tenant: str) -> Iterator[Item]:
        return self._items(tenant, page_rows=PAGE_ROWS)

    def _items(self, tenant: str, page_rows: int) -> Iterator[Item]:
        for page in self._table(tenant).scan(KeyRange(), [DOCUMENT], page_rows=page_rows):
            for key, document in zip(page.keys, page.columns[DOCUMENT], strict=True):
                yield decode_item(key, document or b"")

    def _table(self, tenant: str) -> Table:
        return Table(self._pool, table_name(tenant, ITEMS))
