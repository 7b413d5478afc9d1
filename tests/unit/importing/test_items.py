"""From a file's rows to the catalogue."""

from pathlib import Path
from typing import Any

import pytest

from recsys.core.domain import Item
from recsys.importing.importer import ImportOutcome
from recsys.importing.item_rows import ItemOptions
from recsys.importing.plan import Reading, plan_items
from recsys.importing.read_options import ReadOptions
from recsys.importing.values import Decimals
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from tests.unit.importing.shop import TENANT, run, without_create_times, write


class Catalogue:
    """A catalogue that files are imported into."""

    def __init__(self, folder: Path, *items: Item) -> None:
        self._folder = folder
        self.store, self.live = MemoryItemStore(), MemoryLiveCatalogue()
        self.store.put(TENANT, items)

    def take_in(self, text: str, name: str = "items.csv", **options: Any) -> ImportOutcome:
        path = write(self._folder, text, name)
        reading = Reading(path, ReadOptions(), items=ItemOptions(**options))
        return run(plan_items(reading, TENANT, self.store, self.live))

    def items(self) -> list[Item]:
        return without_create_times(self.store.scan(TENANT))


MAPPED = "id,title,categories,price,available,attributes,Farbe\n"


def test_an_item_is_made_of_the_mapped_columns(tmp_path: Path) -> None:
    shop = Catalogue(tmp_path)
    row = '1,Lamp,home > light,9.5,no,"{""watts"": 7, ""dimmable"": true}",rot\n'
    shop.take_in(MAPPED + row, mapping=("Farbe=attributes.colour",))

    assert shop.items() == [
        Item(
            "1",
            title="Lamp",
            categories=("home", "light"),
            price=9.5,
            available=False,
            attributes={"watts": 7.0, "dimmable": True, "colour": "rot"},
        )
    ]


def test_categories_may_be_a_list(tmp_path: Path) -> None:
    shop = Catalogue(tmp_path)
    shop.take_in('{"id": 1, "categories": ["a", "b > c"]}\n', "items.jsonl")

    assert shop.items() == [Item("1", categories=("a", "b > c"))]


def test_a_later_row_of_an_item_keeps_what_it_leaves_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.importing.bulk_writer.STORE_ROWS", 2)
    shop = Catalogue(tmp_path, Item("a", title="Old", brand="Old"))
    outcome = shop.take_in(
        "sku,title,price,available,colour\n"
        "a,Shirt,10,false,red\na,,,,\nb,Hat,5,,\na,,12,,blue\nc,Tie,1,,\na,,,,\n",
        mapping=("colour=attributes.colour",),
    )

    assert shop.items()[0] == Item(
        "a", title="Shirt", price=12, available=False, attributes={"colour": "blue"}
    )
    tally = outcome.tally
    assert (tally.read, tally.stored, tally.merged) == (6, 3, 3)


def test_an_update_changes_only_what_the_file_has(tmp_path: Path) -> None:
    lamp = Item("a", "Lamp", ("home",), "Lux", 5.0, available=False, attributes={"watts": 7.0})
    shop = Catalogue(tmp_path, lamp)

    shop.take_in("sku,price\na,6\nb,1\n", update=True)

    after = Item("a", "Lamp", ("home",), "Lux", 6.0, available=False, attributes={"watts": 7.0})
    assert shop.items() == [after, Item("b", price=1.0)]
    assert shop.live.rows(TENANT)["a"].price == 6.0


def test_a_change_by_others_at_the_same_moment_is_not_lost_to_an_update(tmp_path: Path) -> None:
    shop = Catalogue(tmp_path, Item("a", "Lamp"))
    replace, changed = shop.store.replace, []

    def replaced(tenant: str, item_id: str, expected: Item | None, item: Item | None) -> bool:
        if not changed:
            changed.append(shop.store.put(tenant, [Item("a", "Lantern")]))
        return replace(tenant, item_id, expected, item)

    shop.store.replace = replaced  # type: ignore[method-assign]
    shop.take_in("sku,price\na,6\n", update=True)

    assert shop.items() == [Item("a", "Lantern", price=6.0)]


def test_keys_that_appear_late_in_json_lines_count(tmp_path: Path) -> None:
    lines = "".join(f'{{"sku": "{n}", "name": "N"}}\n' for n in range(150))
    shop = Catalogue(tmp_path)
    shop.take_in(lines + '{"sku": "late", "price": 3, "available": false}\n', "items.jsonl")

    assert Item("late", price=3.0, available=False) in shop.items()


@pytest.mark.parametrize(
    ("word", "available"),
    [
        ("in stock", True), ("out of stock", False), ("sold out", False), ("preorder", True),
        ("https://schema.org/InStock", True), ("OutOfStock", False), ("12", True), ("0", False),
        ("TRUE", True), ("n", False), ("", True),
    ],
)  # fmt: skip
def test_words_of_availability(tmp_path: Path, word: str, available: bool) -> None:
    shop = Catalogue(tmp_path)
    shop.take_in(f"sku,availability\na,{word}\n")

    assert shop.items()[0].available is available


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ('"$1,234.50"', 1234.5), ('"1.234,50 €"', 1234.5), ("EUR 12", 12), ('"12,5"', 12.5),
        ("1 234.5", 1234.5), ("CHF 1'234.50", 1234.5), ('"1,234,567"', 1234567), ("£0.99", 0.99),
    ],
)  # fmt: skip
def test_prices_with_currencies_and_separators(tmp_path: Path, text: str, price: float) -> None:
    shop = Catalogue(tmp_path)
    shop.take_in(f"sku,price\na,{text}\n")

    assert shop.items()[0].price == price


def test_a_price_that_may_be_two_is_dropped_unless_it_is_told(tmp_path: Path) -> None:
    shop, text = Catalogue(tmp_path), 'sku,price\na,"1,234"\n'

    outcome = shop.take_in(text)
    assert (shop.items()[0].price, outcome.tally.dropped.total()) == (None, 1)
    for decimals, price in ((Decimals.POINT, 1234), (Decimals.COMMA, 1.234)):
        shop.take_in(text, decimals=decimals)
        assert shop.items()[0].price == price
    # Another price of the column tells.
    shop.take_in('sku,price\na,"1,234"\nb,"1,5"\n')
    assert shop.items()[0].price == 1.234


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("price", "free"), ("price", "-1"), ("attributes", "[1]"), ("attributes", "{"),
        ("categories", "a>>b"), ("title", "x" * 1001),
    ],
)  # fmt: skip
def test_an_optional_value_that_cannot_be_read_is_dropped_and_counted(
    tmp_path: Path, column: str, value: str
) -> None:
    shop = Catalogue(tmp_path)
    outcome = shop.take_in(f"sku\t{column}\na\t{value}\n")

    assert shop.items() == [Item("a")]
    assert outcome.tally.dropped.total() == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sku,available\na,in two weeks\n", "available: must say yes or no"),
        ("sku,title\n,Lamp\n", "item_id: is missing"),
        ("sku,title\nNULL,Lamp\n", "item_id: is missing"),
        ("sku,title\n5.4E+07,Lamp\n", "item_id: is a rounded number"),
    ],
)
def test_a_row_whose_meaning_would_change_is_rejected(
    tmp_path: Path, text: str, reason: str
) -> None:
    shop = Catalogue(tmp_path)
    outcome = shop.take_in(text)

    assert shop.items() == []
    assert next(iter(outcome.tally.rejected)).startswith(reason)


def test_stock_tags_and_times_of_a_file_become_those_of_the_item(tmp_path: Path) -> None:
    shop = Catalogue(tmp_path)
    shop.take_in(
        "id,stock,tags,list_price,publish_time,expire_time\n"
        "1,0,sale|summer,12.5,2026-05-01T00:00:00Z,\n"
        "2,,,,2026-05-01T00:00:00Z,2026-04-01T00:00:00Z\n"
    )

    assert shop.items() == [
        Item(
            "1",
            quantity=0.0,
            tags=("sale", "summer"),
            list_price=12.5,
            publish_ms=1_777_593_600_000,
        ),
        # A period that ends before it begins is none.
        Item("2", publish_ms=1_777_593_600_000),
    ]


MONDAY_MS, TUESDAY_MS, WEDNESDAY_MS = (1_800_000_000_000 + day * 86_400_000 for day in range(3))


def test_an_item_that_does_not_say_when_the_shop_got_it_came_when_it_was_imported_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_in(text: str, now_ms: int, **options: Any) -> dict[str, int | None]:
        monkeypatch.setattr("recsys.importing.item_merging.utc_now_ms", lambda: now_ms)
        shop.take_in(text, **options)
        return {item.item_id: item.created_ms for item in shop.store.scan(TENANT)}

    shop = Catalogue(tmp_path, Item("stored before releases noted it"))
    told = "id,created_at\nsays,2024-01-31T00:00:00Z\ndoes not,\nstored before releases noted it,\n"
    assert take_in(told, MONDAY_MS) == {
        "stored before releases noted it": None,
        "says": 1_706_659_200_000,
        "does not": MONDAY_MS,
    }
    # The whole catalogue again, with an item more: only that one is new.
    again = take_in("id,title\nsays,A\ndoes not,B\nmore,C\nmore,D\n", TUESDAY_MS)
    assert [again[i] for i in ("says", "does not", "more")] == [
        1_706_659_200_000,
        MONDAY_MS,
        TUESDAY_MS,
    ]
    updated = take_in("id,title\nmore,E\nyet more,F\n", WEDNESDAY_MS, update=True)
    assert [updated[i] for i in ("more", "yet more")] == [TUESDAY_MS, WEDNESDAY_MS]
