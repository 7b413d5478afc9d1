"""The catalogue in memory."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock

from recsys.core.domain import Item, revision_of


class MemoryItemStore:
    """`ItemStore` that lasts as long as the process."""

    def __init__(self) -> None:
        self._items: defaultdict[str, dict[str, Item]] = defaultdict(dict)
        self._lock = Lock()

    def put(self, tenant: str, items: Iterable[Item]) -> int:
        count = 0
        for item in items:
            self._items[tenant][item.item_id] = item
            count += 1
        return count

    def get(self, tenant: str, item_id: str) -> Item | None:
        return self._items[tenant].get(item_id)

    def find(self, tenant: str, item_ids: Sequence[str]) -> dict[str, Item]:
        items = self._items[tenant]
        return {item_id: items[item_id] for item_id in item_ids if item_id in items}

    def first(self, tenant: str, count: int) -> list[Item]:
        return list(islice(self.scan(tenant), count))

    def replace(self, tenant: str, item_id: str, expected: Item | None, item: Item | None) -> bool:
        with self._lock:
            if revision_of(self.get(tenant, item_id)) != revision_of(expected):
                return False
            if item is None:
                self._items[tenant].pop(item_id, None)
            else:
                self._items[tenant][item_id] = item
            return True

    def scan(self, tenant: str) -> Iterator[Item]:
        items = self._items[tenant].values()
        yield from sorted(items, key=lambda item: item.item_id.encode())
