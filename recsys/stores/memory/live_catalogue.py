"""The live catalogue in memory."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from recsys.core.catalogue import GONE, CatalogueRow
from recsys.core.domain import Item


class MemoryLiveCatalogue:
    """`LiveCatalogue` that lasts as long as the process.

    Attributes:
        log: the ids of the items that changed, by tenant and position.
    """

    def __init__(self) -> None:
        self._items: defaultdict[str, dict[str, Item | None]] = defaultdict(dict)
        self.log: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._changes = 0

    def write(self, tenant: str, items: Mapping[str, Item | None]) -> list[str]:
        known = self._items[tenant]
        changed = [i for i, item in items.items() if i not in known or known[i] != item]
        for item_id in changed:
            known[item_id] = items[item_id]
            self._changes += 1
            self.log[tenant][str(self._changes)] = item_id
        return changed

    def known(self, tenant: str, item_ids: Sequence[str]) -> set[str]:
        return set(item_ids) & self._items[tenant].keys()

    def ids(self, tenant: str) -> Iterator[str]:
        yield from list(self._items[tenant])

    def forget_gone(self, tenant: str, item_ids: Collection[str]) -> None:
        for item_id in item_ids:
            if self._items[tenant].get(item_id, ...) is None:
                del self._items[tenant][item_id]

    def size(self, tenant: str) -> int:
        return sum(0 if item is None else item.size for item in self._items[tenant].values())

    def rows(self, tenant: str) -> dict[str, CatalogueRow]:
        """The rows that serving reads."""
        return {item_id: _row(item) for item_id, item in self._items[tenant].items()}

    def lose(self) -> None:
        """Forget everything, as a store does that was emptied."""
        self._items.clear()
        self.log.clear()


def _row(item: Item | None) -> CatalogueRow:
    if item is None:
        return GONE
    return CatalogueRow(
        *(item.title, item.price, item.can_be_bought, item.categories, item.brand, item.attributes),
        *(item.tags, item.publish_ms, item.expire_ms, item.created_ms),
    )
