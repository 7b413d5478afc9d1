"""Both ends of a call convert by the same functions: what goes in comes out."""

import pytest

from recsys.core.conditions import Condition
from recsys.core.domain import Item
from recsys.core.errors import FieldProblem
from recsys.core.recording import EventDraft, EventOutcome, EventStatus, Recorded
from recsys.rpc import convert

BARE = EventDraft("u", "i", "view")
FULL = EventDraft(
    "u", "i", "purchase", "e", 1_700_000_000_000, 2.0, 0.0, "o", {"placement": "home"}
)


@pytest.mark.parametrize("draft", [BARE, FULL])
def test_an_event_comes_out_as_it_went_in(draft: EventDraft) -> None:
    assert convert.to_draft(convert.from_draft(draft)) == draft


@pytest.mark.parametrize(
    "item",
    [
        Item("i"),
        Item("i", "", ("A", "B"), "brand", 0.0, False, {"a": "text", "b": 1.5, "c": False}),
        Item("i", quantity=0.0, tags=("a",), list_price=2.5, publish_ms=10**11, expire_ms=10**12),
    ],
)
def test_an_item_comes_out_as_it_went_in(item: Item) -> None:
    assert convert.to_item(convert.from_item(item)) == item


def test_outcomes_come_out_as_they_went_in() -> None:
    rejected = EventOutcome(EventStatus.REJECTED, "", (FieldProblem("price", "must be finite"),))
    accepted = EventOutcome(EventStatus.ACCEPTED, "e")
    recorded = Recorded([rejected, accepted], degraded=True)
    assert convert.to_recorded(convert.from_recorded(recorded)) == recorded


def test_a_condition_comes_out_as_it_went_in() -> None:
    condition = Condition(("a", "b"), ("*",))
    assert convert.to_condition(convert.from_condition(condition)) == condition
