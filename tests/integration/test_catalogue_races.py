"""Writers of one item that meet, on the real store."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from recsys.core.conditions import ANY, Condition
from recsys.core.domain import Item
from recsys.core.errors import PreconditionFailed
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from services.ingest.catalogue import Catalogue

TRIES = 25

pytestmark = pytest.mark.hbase


@pytest.fixture
def catalogue(hbase_items: HBaseItemStore) -> Catalogue:
    return Catalogue(hbase_items, MemoryLiveCatalogue())


def test_no_patch_of_another_field_is_ever_lost(catalogue: Catalogue) -> None:
    changes = [{"available": False}, {"price": 7.0}, {"title": "new"}, {"brand": "B"}]
    with ThreadPoolExecutor(len(changes)) as writers:
        for number in range(TRIES):
            item_id = f"patched-{number}"
            catalogue.put("shop", Item(item_id, title="old", price=5.0))
            start = Barrier(len(changes))

            def patch(change: dict[str, object], i: str = item_id, s: Barrier = start) -> None:
                s.wait()
                catalogue.patch("shop", i, change)

            list(writers.map(patch, changes))

            found = catalogue.get("shop", item_id)
            assert (found.title, found.price) == ("new", 7.0)
            assert (found.available, found.brand) == (False, "B")


def test_of_equal_creations_one_succeeds(catalogue: Catalogue) -> None:
    with ThreadPoolExecutor(4) as writers:
        for number in range(TRIES):
            item, start = Item(f"created-{number}"), Barrier(4)
            catalogue.delete("shop", item.item_id)

            def create(_: int, item: Item = item, start: Barrier = start) -> bool:
                start.wait()
                try:
                    catalogue.put("shop", item, Condition(if_none_match=(ANY,)))
                except PreconditionFailed:
                    return False
                return True

            assert sum(writers.map(create, range(4))) == 1
