"""Keeping the live catalogue what the durable one is."""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from recsys.core.domain import Item
from recsys.core.ports import ItemStore, LiveCatalogue

_ITEMS_PER_WRITE = 1000


def copy_items(items: ItemStore, live: LiveCatalogue, tenant: str, ids: Iterable[str]) -> None:
    """Make the live catalogue say of these items what the durable one does; see that they are gone
    where it has none.

    What changed by that is read again, until nothing does: of writers that overlap, the one that
    finishes last sees the durable writes of all others and corrects what it did.

    Raises:
        Unavailable: a store does not answer; doing it again is safe.
    """
    remaining = list(ids)
    while remaining:
        durable = items.find(tenant, remaining)
        remaining = live.write(tenant, {item_id: durable.get(item_id) for item_id in remaining})


def copy_catalogue(
    items: ItemStore, live: LiveCatalogue, tenant: str, recommended: Collection[str]
) -> None:
    """Make the live catalogue what the durable one is, whatever it has missed or lost.

    Args:
        recommended: ids of the items that published models may recommend. Those that are not in the
            catalogue are gone, unless the shop has no catalogue: then it recommends whatever its
            users touch. Of other gone items nothing has to be known any more.

    Raises:
        Unavailable: a store does not answer; doing it again is safe.
    """
    known: set[str] = set()
    for some in _in_batches(items.scan(tenant)):
        known.update(item.item_id for item in some)
        changed = live.write(tenant, {item.item_id: item for item in some})
        copy_items(items, live, tenant, changed)
    lost = {item_id for item_id in live.ids(tenant) if item_id not in known}
    missing = set(recommended) - known if known else set[str]()
    copy_items(items, live, tenant, lost | missing)
    live.forget_gone(tenant, lost.difference(recommended))


def _in_batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, _ITEMS_PER_WRITE)):
        yield batch
