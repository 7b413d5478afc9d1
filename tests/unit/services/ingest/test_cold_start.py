"""Recommendations of a shop without a model."""

import threading
from collections.abc import Sequence

import pytest

from recsys.core.domain import Event, Item
from recsys.core.errors import Unavailable
from services.ingest import cold_start as module
from tests.eventually import eventually
from tests.unit.services.ingest.cold_shop import ColdShop


@pytest.fixture
def shop() -> ColdShop:
    return ColdShop()


def happens(shop: ColdShop, item_id: str, event_type: str = "view", user_id: str = "ann") -> None:
    """As the recorder passes an event on."""
    events = [Event(f"{user_id} {event_type} {item_id}", user_id, item_id, event_type, 1)]
    shop.recent.record("shop", events, received_ms=1)
    shop.cold_start.count("shop", events)


def shown(shop: ColdShop, user_id: str | None = None, limit: int = 10) -> list[str]:
    return [item.item_id for item in shop.cold_start.recommend("shop", user_id, (), limit)]


def test_of_an_empty_shop_nothing_is_shown(shop: ColdShop) -> None:
    assert shown(shop) == []


def test_a_catalogue_is_shown_in_its_order(shop: ColdShop) -> None:
    shop.items.put("shop", [Item("b", title="Rug"), Item("a"), Item("c")])
    assert shop.cold_start.recommend("shop", None, (), 2) == [Item("a"), Item("b", title="Rug")]


def test_what_is_popular_comes_before_the_rest_of_the_catalogue(shop: ColdShop) -> None:
    shop.items.put("shop", [Item(item_id) for item_id in "abcd"])
    happens(shop, "c")
    happens(shop, "d", "purchase")
    assert shown(shop) == ["d", "c", "a", "b"]


def test_events_show_within_a_second(shop: ColdShop) -> None:
    shop.items.put("shop", [Item(item_id) for item_id in "abcd"])
    assert shown(shop) == ["a", "b", "c", "d"]
    happens(shop, "c")
    shop.now += 1.0
    assert shown(shop) == ["c", "a", "b", "d"]


def test_without_a_catalogue_whatever_shoppers_touch_is_shown(shop: ColdShop) -> None:
    happens(shop, "lamp")
    assert shop.cold_start.recommend("shop", None, (), 10) == [Item("lamp")]


def test_what_is_not_in_the_catalogue_or_not_available_is_not_shown(shop: ColdShop) -> None:
    shop.items.put("shop", [Item("a"), Item("sold out", available=False)])
    for item_id in ("invented", "sold out"):
        happens(shop, item_id)
    assert shown(shop) == ["a"]


def test_what_was_removed_from_an_empty_catalogue_is_not_shown(shop: ColdShop) -> None:
    for item_id in ("deleted", "lamp"):
        happens(shop, item_id)
    shop.live.write("shop", {"deleted": None})
    assert shown(shop) == ["lamp"]


def test_what_a_shopper_bought_or_disliked_is_not_shown_to_them(shop: ColdShop) -> None:
    shop.items.put("shop", [Item(item_id) for item_id in "abcd"])
    happens(shop, "c", "purchase", user_id="ann")
    happens(shop, "a", "dislike", user_id="ann")
    assert shown(shop, "ann") == ["b", "d"]
    assert shown(shop, "bob") == ["c", "a", "b", "d"]


def test_what_the_caller_excludes_is_not_shown(shop: ColdShop) -> None:
    shop.items.put("shop", [Item(item_id) for item_id in "abc"])
    found = shop.cold_start.recommend("shop", None, ["a", "b", "no such item"], 10)
    assert found == [Item("c")]


def test_nothing_is_counted_once_there_is_a_model(shop: ColdShop) -> None:
    happens(shop, "a")
    shop.published.activate("shop", "v1")
    shop.now += 1.0
    happens(shop, "b")
    assert shop.popularity.most_popular("shop", 10) == ["a"]


def test_the_pointer_is_asked_for_once_a_second(
    shop: ColdShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(shop.published, "current", asked.append)
    for _ in range(100):
        happens(shop, "a")
        shop.now += 0.01
    assert len(asked) == 1


def test_tenants_do_not_see_each_other(shop: ColdShop) -> None:
    happens(shop, "lamp")
    shop.items.put("othershop", [Item("chair")])
    assert shown(shop) == ["lamp"]
    assert shop.cold_start.recommend("othershop", "ann", (), 10) == [Item("chair")]


def test_a_catalogue_that_cannot_be_read_leaves_what_was_read_before(
    shop: ColdShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.items.put("shop", [Item("a")])
    assert shown(shop) == ["a"]
    monkeypatch.setattr(shop.items, "first", away)
    shop.now += 60.0
    assert shown(shop) == ["a"]


def test_a_catalogue_that_was_never_read_is_unavailable(
    shop: ColdShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.items, "first", away)
    with pytest.raises(Unavailable, match="hbase"):
        shown(shop)


def test_who_cannot_be_known_is_not_shown_what_they_may_have_had(
    shop: ColdShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.items.put("shop", [Item("a")])
    monkeypatch.setattr(shop.recent, "excluded", away)
    with pytest.raises(Unavailable):
        shown(shop, "ann")


def test_one_call_reads_the_catalogue_and_the_others_do_not_wait_for_it_for_long(
    shop: ColdShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.05)
    reading, go_on = threading.Event(), threading.Event()
    first = shop.items.first

    def slow(tenant: str, count: int) -> Sequence[Item]:
        reading.set()
        go_on.wait(10)
        return first(tenant, count)

    shop.items.put("shop", [Item("a")])
    monkeypatch.setattr(shop.items, "first", slow)
    found: list[list[str]] = []
    reader = threading.Thread(target=lambda: found.append(shown(shop)))
    reader.start()
    assert reading.wait(10)
    with pytest.raises(Unavailable):
        shown(shop)
    go_on.set()
    reader.join()
    assert found == [["a"]]

    reading.clear()
    go_on.clear()
    shop.now += 1.0
    reader = threading.Thread(target=lambda: found.append(shown(shop)))
    reader.start()
    assert reading.wait(10)
    assert shown(shop) == ["a"]
    go_on.set()
    eventually(lambda: len(found) == 2)
    reader.join()


def away(*_: object) -> None:
    raise Unavailable("hbase", "away")


def test_what_is_out_of_stock_or_not_of_this_time_is_not_shown(shop: ColdShop) -> None:
    begun_ms = 10**12
    items = [
        Item("always"),
        Item("expiring", expire_ms=begun_ms + 5000),
        Item("sold out", quantity=0.0),
        Item("to come", publish_ms=begun_ms + 5000),
    ]
    shop.items.put("shop", items)
    assert shown(shop) == ["always", "expiring"]
    shop.now = 5.0
    assert shown(shop) == ["always", "to come"]
