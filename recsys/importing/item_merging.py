"""Storing items of which a file has several rows: variants, images, prices."""

from recsys.clock import utc_now_ms
from recsys.core.domain import Item, with_create_time
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
        # One for all: which of the items of a file are the newer ones it does not say.
        self._began_ms = utc_now_ms()

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
        before = self._store.find(self._tenant, list(by_item))
        items = []
        for item_id, some in by_item.items():
            item = _merged(before.get(item_id) if item_id in self._stored else None, some)
            items.append(with_create_time(item, before.get(item_id), self._began_ms))
        self._store.put(self._tenant, items)

    def _change(self, item_id: str, rows: list[ItemRow]) -> None:
        """Change a stored item, whatever others change of it at the same moment."""
        while True:
            before = self._store.get(self._tenant, item_id)
            after = with_create_time(_merged(before, rows), before, self._began_ms)
            if after == before or self._store.replace(self._tenant, item_id, before, after):
                return


def _merged(item: Item | None, rows: list[ItemRow]) -> Item:
    merged = rows[0].merged_into(item)
    for row in rows[1:]:
        merged = row.merged_into(merged)
    return merged
