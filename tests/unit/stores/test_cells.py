"""Cells: compact, and complete."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.catalogue import CatalogueRow
from recsys.core.domain import Event, Item, identifier_problem, text_problem
from recsys.stores.documents import decode_item, decode_row, item_document
from recsys.stores.hbase.cells import (
    decode_context,
    decode_details,
    event_cells,
    split_action,
)
from recsys.stores.hbase.layout import ACTION, CONTEXT, DETAILS

ids = st.text(min_size=1, max_size=50).filter(lambda text: identifier_problem(text) is None)
texts = st.text(max_size=50).filter(lambda text: text_problem(text) is None)
numbers = st.floats(0, 1e12)
attributes = st.dictionaries(ids, st.booleans() | numbers | texts, max_size=5)


def test_training_needs_one_small_cell() -> None:
    cells = event_cells(Event("e", "u", "i1", "view", 1))

    assert cells == {ACTION: b"view\x00i1"}


def test_details_are_compact_and_leave_out_what_is_missing() -> None:
    cells = event_cells(Event("e", "u", "i1", "purchase", 1, quantity=2, order_id="ö1"))

    assert cells[DETAILS] == '{"quantity":2,"order_id":"ö1"}'.encode()


def test_a_context_has_a_cell_of_its_own_that_others_do_not_pay_for() -> None:
    context = {"placement": "home", "variant": "ü"}
    cells = event_cells(Event("e", "u", "i1", "view", 1, context=context))

    assert cells == {
        ACTION: b"view\x00i1",
        CONTEXT: '{"placement":"home","variant":"ü"}'.encode(),
    }
    assert decode_context(cells[CONTEXT]) == context
    assert decode_context(event_cells(Event("e", "u", "i1", "view", 1)).get(CONTEXT)) == {}


@given(ids, ids)
def test_an_action_comes_apart_as_it_was_put_together(event_type: str, item_id: str) -> None:
    cells = event_cells(Event("e", "u", item_id, event_type, 1))

    assert split_action(cells[ACTION]) == (event_type.encode(), item_id.encode())


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("quantity", "price", "rating"), numbers),
            **dict.fromkeys(("order_id", "query"), ids),
        },
    )
)
def test_details_come_back(details: dict[str, Any]) -> None:
    event = Event("e", "u", "i", "view", 1, **details)

    assert decode_details(event_cells(event).get(DETAILS)) == details


@given(
    item=st.builds(
        Item,
        item_id=ids,
        title=st.none() | texts,
        categories=st.lists(ids, max_size=5).map(tuple),
        brand=st.none() | texts,
        price=st.none() | numbers,
        available=st.booleans(),
        attributes=attributes,
        quantity=st.none() | numbers,
        tags=st.lists(ids, max_size=3).map(tuple),
        list_price=st.none() | numbers,
        publish_ms=st.none() | st.integers(10**11, 10**12),
        expire_ms=st.none() | st.integers(10**12 + 1, 4 * 10**12),
    )
)
def test_an_item_comes_back(item: Item) -> None:
    document = item_document(item)
    assert decode_item(item.item_id.encode(), document) == item
    assert decode_row(document) == CatalogueRow(
        *(item.title, item.price, item.can_be_bought, item.categories, item.brand, item.attributes),
        *(item.tags, item.publish_ms, item.expire_ms),
    )


@pytest.mark.parametrize("document", [b"", b"{no json", b"[1]", b"7", b"{}", b"\xff"])
def test_what_is_no_item_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of json or ours
        decode_row(document)


def test_a_foreign_action_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="not an action cell"):
        split_action(b"view")


def test_the_document_of_an_item_without_later_fields_is_what_it_was() -> None:
    assert item_document(Item("lamp", title="Lamp")) == (
        b'{"title":"Lamp","categories":[],"brand":null,"price":null,"available":true,'
        b'"attributes":{}}'
    )
