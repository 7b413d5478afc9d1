from collections.abc import Callable
from dataclasses import replace

import pytest

from recsys.core.conditions import Condition
from recsys.core.domain import Item
from recsys.core.errors import InvalidInput, NotFound, PreconditionFailed, Unavailable
from recsys.stores.memory.items import MemoryItemStore
from services.ingest.catalogue import Catalogue
from tests.interrupted_catalogue import InterruptedLiveCatalogue

NOW_MS = 1_800_000_000_000
LAMP = Item(
    "lamp",
    title="Lamp",
    categories=("home",),
    price=5.0,
    attributes={"colour": "red"},
    created_ms=NOW_MS - 1,
)


class Shop:
    def __init__(self) -> None:
        self.items = MemoryItemStore()
        self.live = InterruptedLiveCatalogue()
        self.catalogue = Catalogue(self.items, self.live, now_ms=lambda: NOW_MS)

    def is_shown(self) -> bool:
        return self.live.rows("shop")["lamp"].available


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.catalogue.put("shop", LAMP)
    return shop


def test_an_item_is_read_as_it_was_put(shop: Shop) -> None:
    assert shop.catalogue.get("shop", "lamp") == LAMP
    assert shop.is_shown()


def test_a_patch_replaces_the_named_fields_only(shop: Shop) -> None:
    patched = shop.catalogue.patch("shop", "lamp", {"price": None, "attributes": {"watts": 7.0}})
    assert patched == replace(LAMP, price=None, attributes={"watts": 7.0})
    assert shop.items.get("shop", "lamp") == patched


def test_an_item_that_does_not_say_when_the_shop_got_it_keeps_when_it_came(shop: Shop) -> None:
    def created_ms(item_id: str) -> int | None:
        return shop.catalogue.get("shop", item_id).created_ms

    new, told = Item("new"), Item("told", created_ms=5 * 10**11)
    assert shop.catalogue.put("shop", new).created_ms == NOW_MS
    shop.catalogue.put_many("shop", [replace(LAMP, created_ms=None), Item("many"), told])
    assert [*map(created_ms, ("lamp", "many", "told"))] == [NOW_MS - 1, NOW_MS, 5 * 10**11]

    # Stored before releases noted it: nobody knows, and now would be wrong.
    shop.items.put("shop", [Item("old")])
    shop.catalogue.put("shop", Item("old", title="Old"))
    assert created_ms("old") is None

    shop.catalogue.patch("shop", "lamp", {"created_ms": 7 * 10**11})
    shop.catalogue.put("shop", Item("lamp"))
    assert created_ms("lamp") == 7 * 10**11
    shop.catalogue.delete("shop", "lamp")
    shop.catalogue.put("shop", Item("lamp"))
    assert created_ms("lamp") == NOW_MS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "update_mask: names no field"),
        ({"colour": 1}, "colour: is not one of: title"),
        ({"item_id": "other"}, "item_id: is not one of"),
        ({"price": -1.0}, "price: must be between"),
    ],
)
def test_a_bad_patch_changes_nothing(shop: Shop, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        shop.catalogue.patch("shop", "lamp", changes)
    assert shop.items.get("shop", "lamp") == LAMP


def test_an_unknown_item_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.catalogue.get("shop", "other")
    with pytest.raises(NotFound):
        shop.catalogue.patch("other", "lamp", {"title": "T"})


def test_availability_hides_and_shows(shop: Shop) -> None:
    shop.catalogue.patch("shop", "lamp", {"available": False})
    assert not shop.is_shown()
    shop.catalogue.patch("shop", "lamp", {"available": True})
    assert shop.is_shown()


def test_a_removed_item_is_gone_and_not_shown(shop: Shop) -> None:
    shop.catalogue.delete("shop", "lamp")
    shop.catalogue.delete("shop", "lamp")
    assert shop.items.get("shop", "lamp") is None
    assert not shop.is_shown()


def test_hiding_that_failed_is_not_acknowledged_and_a_retry_mends(shop: Shop) -> None:
    shop.live.away = True
    with pytest.raises(Unavailable):
        shop.catalogue.patch("shop", "lamp", {"available": False})
    shop.live.away = False
    shop.catalogue.patch("shop", "lamp", {"available": False})
    assert not shop.is_shown()


def test_overlapping_writers_leave_what_the_catalogue_says(shop: Shop) -> None:
    shop.live.before_writing = lambda: shop.catalogue.put("shop", LAMP)
    shop.catalogue.patch("shop", "lamp", {"available": False})
    assert shop.items.get("shop", "lamp") == LAMP
    assert shop.is_shown()


class Contested(MemoryItemStore):
    """Lets another writer in, just before an item is replaced."""

    before_replacing: Callable[[], object] | None = None

    def replace(self, tenant: str, item_id: str, expected: Item | None, item: Item | None) -> bool:
        interrupt, self.before_replacing = self.before_replacing, None
        if interrupt:
            interrupt()
        return super().replace(tenant, item_id, expected, item)


@pytest.fixture
def contested() -> tuple[Contested, Catalogue]:
    items = Contested()
    items.put("shop", [LAMP])
    return items, Catalogue(items, InterruptedLiveCatalogue())


def test_patches_of_different_fields_both_take_effect(
    contested: tuple[Contested, Catalogue],
) -> None:
    items, catalogue = contested
    items.before_replacing = lambda: catalogue.patch("shop", "lamp", {"available": False})

    patched = catalogue.patch("shop", "lamp", {"price": 7.0})

    assert patched == items.get("shop", "lamp") == replace(LAMP, price=7.0, available=False)


def test_a_file_imported_during_a_patch_is_patched(contested: tuple[Contested, Catalogue]) -> None:
    items, catalogue = contested
    items.before_replacing = lambda: items.put("shop", [Item("lamp", title="of the file")])

    catalogue.patch("shop", "lamp", {"price": 7.0})

    assert items.get("shop", "lamp") == Item("lamp", title="of the file", price=7.0)


def test_a_patch_finds_an_item_that_was_removed_meanwhile_gone(
    contested: tuple[Contested, Catalogue],
) -> None:
    items, catalogue = contested
    items.before_replacing = lambda: catalogue.delete("shop", "lamp")

    with pytest.raises(NotFound):
        catalogue.patch("shop", "lamp", {"price": 7.0})
    assert items.get("shop", "lamp") is None


def test_a_condition_is_checked_against_what_is_replaced(
    contested: tuple[Contested, Catalogue],
) -> None:
    items, catalogue = contested
    items.before_replacing = lambda: catalogue.patch("shop", "lamp", {"price": 6.0})

    with pytest.raises(PreconditionFailed):
        catalogue.put("shop", Item("lamp"), Condition(if_match=(LAMP.revision,)))
    assert items.get("shop", "lamp") == replace(LAMP, price=6.0)


def test_removing_what_never_was_leaves_nothing(shop: Shop) -> None:
    rows, log = shop.live.rows("shop"), dict(shop.live.log["shop"])
    for number in range(10):
        shop.catalogue.delete("shop", f"never was {number}")
    assert shop.live.rows("shop") == rows
    assert shop.live.log["shop"] == log


def test_a_removal_that_failed_half_way_is_mended_by_another_one(shop: Shop) -> None:
    shop.live.away = True
    with pytest.raises(Unavailable):
        shop.catalogue.delete("shop", "lamp")
    assert shop.is_shown()
    shop.live.away = False
    shop.catalogue.delete("shop", "lamp")
    assert not shop.is_shown()


def test_title_and_price_reach_the_live_catalogue(shop: Shop) -> None:
    shop.catalogue.patch("shop", "lamp", {"title": "New", "price": 7.0})
    assert shop.live.rows("shop")["lamp"][:3] == ("New", 7.0, True)
