"""Storing items of which a file has several rows: variants, images, prices."""

from recsys.core.domain import Item
from recsys.core.live_catalogue import copy_items
from recsys.core.ports import ItemStore, LiveCatalogue
from recsys.importing.bulk_writer import Stored
from recsys.importing.item_rows import ItemRow


class ItemMerger:
    """Stores the rows of one file, one part after the other.

    The first row of an item replaces the stored one, or with `update` changes what it has a value
    for; later rows of it are merged into that.
    """

    def __init__(self, tenant: str, store: ItemStore, live: LiveCatalogue, *, update: bool) -> None:
        self._tenant, self._store, self._live = tenant, store, live
        self._update = update
        self._stored = set[str]()

    def __call__(self, rows: list[ItemRow]) -> Stored:
        """Store rows, durably first, then where answers are made."""
        by_item: dict[str, list[ItemRow]] = {}
        for row in rows:
            by_item.setdefault(row.item_id, []).append(row)
        if self._update:
            for item_id, some in by_item.items():
                self._change(item_id, some)
        else:
            self._put(by_item)
        copy_items(self._store, self._live, self._tenant, by_item)
        new = len(by_item.keys() - self._stored)
        self._stored.update(by_item)
        return Stored(new, merged=len(rows) - new)

    def _put(self, by_item: dict[str, list[ItemRow]]) -> None:
        known = [item_id for item_id in by_item if item_id in self._stored]
        begun = self._store.find(self._tenant, known) if known else {}
        items = [_merged(begun.get(item_id), some) for item_id, some in by_item.items()]
        self._store.put(self._tenant, items)

    def _change(self, item_id: str, rows: list[ItemRow]) -> None:
        """Change a stored item, whatever others change of it at the same moment."""
        while True:
            before = self._store.get(self._tenant, item_id)
            after = _merged(before, rows)
            if after == before or self._store.replace(self._tenant, item_id, before, after):
                return


def _merged(item: Item | None, rows: list[ItemRow]) -> Item:
    merged = rows[0].merged_into(item)
    for row in rows[1:]:
        merged = row.merged_into(merged)
    return merged
