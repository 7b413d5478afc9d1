"""The catalogue in memory."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from recsys.core.domain import Item


class MemoryItemStore:
    """`ItemStore` that lasts as long as the process."""

    def __init__(self) -> None:
        self._items: defaultdict[str, dict[str, Item]] = defaultdict(dict)

    def put(self, tenant: str, items: Iterable[Item]) -> int:
        count = 0
        for item in items:
            self._items[tenant][item.item_id] = item
            count += 1
        return count

    def get(self, tenant: str, item_id: str) -> Item | None:
        return self._items[tenant].get(item_id)

    def delete(self, tenant: str, item_id: str) -> None:
        self._items[tenant].pop(item_id, None)

    def scan(self, tenant: str) -> Iterator[Item]:
        items = self._items[tenant].values()
        yield from sorted(items, key=lambda item: item.item_id.encode())
