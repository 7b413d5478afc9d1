"""Contract of ItemStore, real and in memory."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from recsys.core.domain import Item
from recsys.core.ports import ItemStore
from recsys.stores.memory.items import MemoryItemStore
from tests.hbase_fixture import MakeTables

TENANT = "shop"
# Of whose items all are read.
WHOLLY_READ = ("scanned", "manyitems")
LAMP = Item(
    item_id="lamp/1 ü",
    title="Lampe „Ü“",
    categories=("home", "light"),
    brand="Büro",
    price=19.99,
    available=False,
    attributes={"colour": "red", "watts": 7.5, "dimmable": True},
)


@pytest.fixture(params=["memory", pytest.param("hbase", marks=pytest.mark.hbase)])
def store(request: pytest.FixtureRequest) -> ItemStore:
    if request.param == "memory":
        return MemoryItemStore()
    make_tables: MakeTables = request.getfixturevalue("make_tables")
    for tenant in WHOLLY_READ:
        make_tables(tenant)
    return request.getfixturevalue("hbase_items")


def test_an_item_comes_back_whole(store: ItemStore) -> None:
    assert store.put(TENANT, [LAMP]) == 1

    assert store.get(TENANT, LAMP.item_id) == LAMP


def test_a_bare_item_comes_back_bare(store: ItemStore) -> None:
    store.put(TENANT, [Item("bare")])

    assert store.get(TENANT, "bare") == Item("bare")


def test_an_unknown_item_is_none(store: ItemStore) -> None:
    assert store.get(TENANT, "never stored") is None


def test_a_put_replaces_the_whole_item(store: ItemStore) -> None:
    store.put(TENANT, [LAMP])
    store.put(TENANT, [Item(LAMP.item_id, title="new")])

    assert store.get(TENANT, LAMP.item_id) == Item(LAMP.item_id, title="new")


def test_a_removed_item_is_gone(store: ItemStore) -> None:
    item = Item("short-lived")
    store.put(TENANT, [item])

    assert store.replace(TENANT, item.item_id, item, None)
    assert not store.replace(TENANT, item.item_id, item, None)

    assert store.get(TENANT, "short-lived") is None
    assert store.find(TENANT, ["short-lived"]) == {}
    assert "short-lived" not in [item.item_id for item in store.scan(TENANT)]


def test_an_item_put_right_after_its_deletion_stays(store: ItemStore) -> None:
    for round_number in range(200):
        item = Item("phoenix", title=str(round_number))
        store.put(TENANT, [item])
        assert store.replace(TENANT, "phoenix", item, None)
        assert store.replace(TENANT, "phoenix", None, item)

        assert store.get(TENANT, "phoenix") == item


def test_an_item_is_replaced_only_where_the_expected_one_is(store: ItemStore) -> None:
    old, new, other = (Item("raced", title=title) for title in ("old", "new", "other"))
    store.put(TENANT, [old])

    assert not store.replace(TENANT, "raced", None, new)
    assert not store.replace(TENANT, "raced", other, new)
    assert store.get(TENANT, "raced") == old
    assert store.replace(TENANT, "raced", old, new)
    assert not store.replace(TENANT, "raced", old, other)
    assert store.get(TENANT, "raced") == new


def test_an_item_is_created_only_where_there_is_none(store: ItemStore) -> None:
    item = Item("created", title="first")
    assert not store.replace(TENANT, "created", item, Item("created"))
    assert store.replace(TENANT, "created", None, item)
    assert not store.replace(TENANT, "created", None, Item("created"))
    assert store.get(TENANT, "created") == item
    assert store.replace(TENANT, "created", item, None)


def test_values_of_other_types_are_other_states_of_an_item(store: ItemStore) -> None:
    stored, equal_to_python = (Item("typed", attributes={"gift": v}) for v in (True, 1.0))
    store.put(TENANT, [stored])

    assert not store.replace(TENANT, "typed", equal_to_python, Item("typed"))


def test_of_writers_that_expect_the_same_one_succeeds(store: ItemStore) -> None:
    with ThreadPoolExecutor(8) as writers:
        for round_number in range(25):
            item_id = f"contested-{round_number}"
            store.put(TENANT, [Item(item_id)])

            def write(writer: int, item_id: str = item_id) -> bool:
                return store.replace(TENANT, item_id, Item(item_id), Item(item_id, price=writer))

            assert sum(writers.map(write, range(8))) == 1


def test_a_scan_is_in_the_order_of_the_ids_bytes(store: ItemStore) -> None:
    ids = ["b", "a", "ü", "Z", "10", "9", "🛒", "\uffff"]

    store.put("scanned", (Item(item_id) for item_id in ids))

    assert [item.item_id for item in store.scan("scanned")] == sorted(ids, key=str.encode)


def test_several_items_are_found_at_once(store: ItemStore) -> None:
    store.put(TENANT, [LAMP, Item("other")])

    found = store.find(TENANT, ["other", "never stored", LAMP.item_id])

    assert found == {LAMP.item_id: LAMP, "other": Item("other")}
    assert store.find(TENANT, []) == {}


def test_the_first_items_are_those_of_a_scan(store: ItemStore) -> None:
    store.put("scanned", (Item(item_id) for item_id in ("b", "a", "ü", "Z", "10", "9")))

    everything = list(store.scan("scanned"))
    assert store.first("scanned", 3) == everything[:3]
    assert store.first("scanned", 1000) == everything


def test_tenants_do_not_see_each_other(store: ItemStore) -> None:
    store.put(TENANT, [Item("ours")])

    assert store.get("othershop", "ours") is None


def test_more_items_than_a_page_come_back_all(store: ItemStore) -> None:
    store.put("manyitems", (Item(f"item-{number:05}") for number in range(6001)))

    assert sum(1 for _ in store.scan("manyitems")) == 6001
