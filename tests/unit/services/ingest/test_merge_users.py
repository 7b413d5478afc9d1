"""A visitor who turns out to be a customer: nothing of what they did is lost, or counts twice."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from recsys.core.domain import Event
from recsys.core.errors import InvalidInput, Unavailable
from recsys.stores.memory.interactions import MemoryInteractionStore
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.memory.users import MemoryUserStore
from services.ingest.merge_users import Merged, UserMerger
from services.ingest.users import Users
from tests.builders import EVENT_TYPES

STEPS = ("reassign", "record", "remove", "forget")
NOW_MS = 1000


class Crash(Exception):
    """The process dies here."""


class Shop:
    """A shop whose merge can die before, or after, any of its steps."""

    def __init__(self) -> None:
        self.interactions = MemoryInteractionStore()
        self.recent = MemoryRecentBehaviour(lambda _: EVENT_TYPES)
        self.users = Users(MemoryUserStore(), self.now)
        self.merger = UserMerger(
            self.interactions, self.recent, self.users, lambda _: EVENT_TYPES, self.now
        )

    def now(self) -> int:
        return NOW_MS

    def sent(self, user_id: str, *items: str, event_type: str = "view") -> list[Event]:
        events = [
            Event(f"{user_id} {item} {event_type}", user_id, item, event_type, timestamp_ms=at)
            for at, item in enumerate(items)
        ]
        self.interactions.append("shop", events, 5)
        self.recent.record("shop", [e for e in events if event_type != "impression"], 5)
        return events

    def items_of(self, user_id: str) -> list[str]:
        return sorted(e.item_id for e in self.interactions.history("shop", user_id))

    def recent_of(self, user_id: str) -> list[tuple[str, int]]:
        return [(e.item_id, e.received_ms) for e in self.recent.of_user("shop", user_id)]


def test_nothing_moves_where_both_users_are_one() -> None:
    shop = Shop()
    shop.sent("ann", "table")
    assert shop.merger.merge("shop", "ann", "ann") == Merged(0, degraded=False)
    assert shop.items_of("ann") == ["table"]
    assert shop.recent_of("ann") == [("table", 5)]


def test_what_a_visitor_did_is_the_customers_and_received_now() -> None:
    shop = Shop()
    shop.sent("visitor", "lamp", "chair")
    shop.sent("ann", "table")
    assert shop.merger.merge("shop", "visitor", "ann") == Merged(2, degraded=False)
    assert shop.items_of("ann") == ["chair", "lamp", "table"]
    assert shop.recent_of("ann") == [("table", 5), ("lamp", NOW_MS), ("chair", NOW_MS)]
    assert shop.items_of("visitor") == shop.recent_of("visitor") == []


def test_what_was_stored_under_an_id_with_space_around_it_moves_to_the_one_without() -> None:
    shop = Shop()
    shop.sent(" ann", "lamp")
    assert shop.merger.merge("shop", " ann", "ann").moved_events == 1


def test_merging_again_changes_nothing() -> None:
    shop = Shop()
    shop.sent("visitor", "lamp")
    shop.merger.merge("shop", "visitor", "ann")
    assert shop.merger.merge("shop", "visitor", "ann") == Merged(0, degraded=False)
    assert shop.items_of("ann") == ["lamp"]
    assert shop.recent_of("ann") == [("lamp", NOW_MS)]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_step_loses_nothing_and_the_next_call_finishes(
    monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    shop = Shop()
    shop.sent("visitor", "lamp", "chair")
    store: Any = shop.interactions if step in ("reassign", "remove") else shop.recent
    whole = getattr(store, step)

    def dying(*call: Any) -> None:
        if when == "after":
            whole(*call)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(store, step, dying)
        with pytest.raises(Crash):
            shop.merger.merge("shop", "visitor", "ann")
    assert {*shop.items_of("visitor"), *shop.items_of("ann")} == {"lamp", "chair"}
    shop.merger.merge("shop", "visitor", "ann")
    assert shop.items_of("ann") == ["chair", "lamp"]
    assert shop.items_of("visitor") == shop.recent_of("visitor") == []


@pytest.mark.parametrize("step", ["record", "forget"])
def test_a_serving_store_that_is_away_costs_a_merge_nothing_durable(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    shop = Shop()
    shop.sent("visitor", "lamp")

    def away(*_: object) -> None:
        raise Unavailable("redis", "away")

    monkeypatch.setattr(shop.recent, step, away)
    assert shop.merger.merge("shop", "visitor", "ann") == Merged(1, degraded=True)
    assert shop.items_of("ann") == ["lamp"]


def test_events_without_an_effect_move_and_take_no_place_among_the_recent_ones() -> None:
    shop = Shop()
    shop.sent("visitor", "lamp", event_type="impression")
    assert shop.merger.merge("shop", "visitor", "ann").moved_events == 1
    assert shop.items_of("ann") == ["lamp"]
    assert shop.recent_of("ann") == []


def test_a_visitor_of_many_events_moves_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.whole_history._EVENTS_AT_ONCE", 10)
    shop = Shop()
    shop.sent("visitor", *(f"i{n}" for n in range(35)))
    assert shop.merger.merge("shop", "visitor", "ann").moved_events == 35
    assert len(shop.items_of("ann")) == 35
    # The newest of them, in their order.
    assert [item for item, _ in shop.recent_of("ann")] == [f"i{n}" for n in range(25, 35)]


def test_events_that_do_not_go_away_keep_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    [stuck] = shop.sent("visitor", "lamp")

    def history(*_: object, **__: object) -> Sequence[Event]:
        return [replace(stuck)]

    monkeypatch.setattr(shop.interactions, "history", history)
    with pytest.raises(Unavailable):
        shop.merger.merge("shop", "visitor", "ann")


@pytest.mark.parametrize(
    ("source", "target", "fields"),
    [
        ("", "ann", ["source_user_id"]),
        ("a\0b", "", ["source_user_id", "target_user_id"]),
        ("x" * 257, "ann", ["source_user_id"]),
        ("visitor", " ann", ["target_user_id"]),
    ],
)
def test_two_different_users_are_merged(source: str, target: str, fields: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        Shop().merger.merge("shop", source, target)
    assert [problem.field for problem in caught.value.problems] == fields
