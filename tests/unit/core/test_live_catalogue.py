"""Copying the durable catalogue to where answers are made."""

from collections.abc import Sequence

from recsys.core.catalogue import GONE, CatalogueRow
from recsys.core.domain import Item
from recsys.core.live_catalogue import copy_catalogue, copy_items
from recsys.stores.memory.items import MemoryItemStore
from tests.interrupted_catalogue import InterruptedLiveCatalogue

SHOWN = CatalogueRow(None, None, available=True)
HIDDEN = CatalogueRow(None, None, available=False)


class Shop:
    def __init__(self) -> None:
        self.items = MemoryItemStore()
        self.live = InterruptedLiveCatalogue()

    def put(self, *items: Item) -> None:
        self.items.put("shop", items)

    def remove(self, item_id: str) -> None:
        assert self.items.replace("shop", item_id, self.items.get("shop", item_id), None)

    def copy(self, recommended: Sequence[str] = ()) -> dict[str, CatalogueRow]:
        copy_catalogue(self.items, self.live, "shop", recommended)
        return self.live.rows("shop")


def test_all_items_are_copied_with_what_they_are_now() -> None:
    shop = Shop()
    shop.put(Item("lamp", title="Lamp", price=5.0), Item("chair", available=False))

    rows = {"lamp": CatalogueRow("Lamp", 5.0, available=True), "chair": HIDDEN}
    assert shop.copy() == rows
    changes = len(shop.live.log["shop"])
    assert shop.copy() == rows
    assert len(shop.live.log["shop"]) == changes


def test_what_models_recommend_and_the_catalogue_lacks_is_gone() -> None:
    shop = Shop()
    shop.put(Item("lamp"))
    assert shop.copy(["lamp", "never in it"]) == {"lamp": SHOWN, "never in it": GONE}


def test_a_shop_without_a_catalogue_recommends_whatever_its_shoppers_touch() -> None:
    assert Shop().copy(["touched"]) == {}


def test_a_removal_that_was_never_told_is_found() -> None:
    shop = Shop()
    shop.put(Item("lamp"), Item("chair"))
    shop.copy()
    shop.remove("lamp")
    assert shop.copy(["lamp"]) == {"lamp": GONE, "chair": SHOWN}


def test_gone_items_are_forgotten_once_no_model_recommends_them() -> None:
    shop = Shop()
    shop.put(Item("lamp"), Item("chair"))
    shop.copy()
    shop.remove("lamp")
    assert shop.copy(["lamp"])["lamp"] == GONE
    assert shop.copy(["chair"]) == {"chair": SHOWN}
    shop.put(Item("lamp"))
    assert shop.copy(["chair"]) == {"lamp": SHOWN, "chair": SHOWN}


def test_a_writer_that_was_faster_is_not_overwritten() -> None:
    shop = Shop()
    shop.put(Item("lamp"))

    def hide() -> None:
        shop.put(Item("lamp", available=False))
        copy_items(shop.items, shop.live, "shop", ["lamp"])

    shop.live.before_writing = hide
    assert shop.copy() == {"lamp": HIDDEN}
    shop.put(Item("lamp"))
    shop.live.before_writing = hide
    copy_items(shop.items, shop.live, "shop", ["lamp"])
    assert shop.live.rows("shop") == {"lamp": HIDDEN}
