"""From rows to events and items."""

from typing import Any

import pytest

from recsys.core.domain import Event, Item
from recsys.core.errors import InvalidInput
from recsys.importing.convert import EventConverter, ItemConverter

EVENT_COLUMNS = {
    "user_id": "user",
    "item_id": "item",
    "event_type": "type",
    "timestamp": "at",
    "event_id": "id",
    "quantity": "n",
    "price": "price",
    "order_id": "order",
}
ROW = {"user": "u", "item": 5, "type": "view", "at": 1_300_000_000, "id": "e", "other": "unused"}


def test_an_event_is_made_of_the_mapped_columns() -> None:
    row = ROW | {"n": "2", "price": " 1.5 ", "order": 77.0}

    assert EventConverter(EVENT_COLUMNS)(row) == Event(
        "e", "u", "5", "view", 1_300_000_000_000, quantity=2, price=1.5, order_id="77"
    )


def test_what_is_missing_stays_missing() -> None:
    event = EventConverter(EVENT_COLUMNS)(ROW | {"n": "", "price": None})

    assert (event.quantity, event.price, event.order_id) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user": ""}, "user_id: is missing"),
        ({"at": "soon"}, "timestamp: must be ISO 8601"),
        ({"n": "many"}, "quantity: must be a number"),
        ({"n": "nan"}, "quantity: must be a finite number"),
        ({"n": -1}, "quantity: must be between"),
        ({"at": 1_300_000_000_000_000}, "timestamp: must not be after 2100"),
        ({"at": "1960-01-01"}, "timestamp: must not be before 1970"),
        ({"item": "a\x00b"}, r"item_id: has the control character U\+0000"),
        ({"user": "x" * 257}, "user_id: has 257 characters"),
        ({"user": "M\udcfcller"}, "user_id: has half a surrogate pair"),
        ({"user": "", "at": "soon"}, "timestamp: .*; user_id: is missing"),
    ],
)
def test_a_bad_row_is_refused_with_all_its_faults(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        EventConverter(EVENT_COLUMNS)(ROW | change)


@pytest.mark.parametrize(
    ("text", "timestamp_ms"),
    [
        ("1300000000", 1_300_000_000_000),
        ("1012121212345", 1_012_121_212_345),
        (" 1300000000000 ", 1_300_000_000_000),
        ("20110313", 1_299_974_400_000),
        ("2011-03-13 07:06:40 UTC", 1_300_000_000_000),
    ],
)
def test_numbers_and_dates_are_told_apart(text: str, timestamp_ms: int) -> None:
    assert EventConverter(EVENT_COLUMNS)(ROW | {"at": text}).timestamp_ms == timestamp_ms


def test_without_an_event_id_equal_rows_are_one_event() -> None:
    columns = {name: column for name, column in EVENT_COLUMNS.items() if name != "event_id"}
    convert = EventConverter(columns)

    assert convert(ROW).event_id == EventConverter(columns)(ROW).event_id
    assert convert(ROW).event_id != convert(ROW | {"n": 2}).event_id


def test_the_type_of_a_file_without_types_is_given() -> None:
    columns = {name: column for name, column in EVENT_COLUMNS.items() if name != "event_type"}

    assert EventConverter(columns, "purchase")(ROW).event_type == "purchase"


ITEM_COLUMNS = {
    "item_id": "id",
    "title": "title",
    "categories": "categories",
    "brand": "brand",
    "price": "price",
    "available": "available",
    "attributes": "attributes",
    "attributes.colour": "Farbe",
}


def test_an_item_is_made_of_the_mapped_columns() -> None:
    row = {
        "id": "1",
        "title": "Lamp",
        "categories": "home > light",
        "price": "9.5",
        "available": "no",
        "attributes": '{"watts": 7, "dimmable": true}',
        "Farbe": "rot",
    }

    assert ItemConverter(ITEM_COLUMNS)(row) == Item(
        "1",
        title="Lamp",
        categories=("home", "light"),
        price=9.5,
        available=False,
        attributes={"watts": 7.0, "dimmable": True, "colour": "rot"},
    )


def test_categories_may_be_a_list() -> None:
    item = ItemConverter(ITEM_COLUMNS)({"id": 1, "categories": ["a", "b > c"]})

    assert item == Item("1", categories=("a", "b > c"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "item_id: is missing"),
        ({"price": "free"}, "price: must be a number"),
        ({"available": "maybe"}, "available: must be true or false"),
        ({"attributes": "[1]"}, "attributes: must be a JSON object"),
        ({"attributes": "{"}, "attributes: "),
        ({"attributes": {"sizes": [1]}}, "attributes: must hold texts"),
        ({"categories": "a>>b"}, "categories.1: must not be empty"),
    ],
)
def test_a_bad_item_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        ItemConverter(ITEM_COLUMNS)({"id": "1"} | change)
