"""Recent events while their store is away."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from recsys.core.domain import Event
from recsys.core.errors import Unavailable
from recsys.stores.memory.recent import MemoryRecentBehaviour
from services.ingest import recent_event_buffer as module
from services.ingest.recent_event_buffer import RecentEventBuffer
from tests.builders import EVENT_TYPES
from tests.eventually import eventually


class FlakyRecent(MemoryRecentBehaviour):
    """Can be away; counts how often it was asked."""

    away = False
    why = "away"
    asked = 0

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        self.asked += 1
        if self.away:
            raise Unavailable("redis", self.why)
        super().record(tenant, events, received_ms)


def an_event(number: int) -> Event:
    return Event(f"e{number}", "ann", f"i{number}", "view", number)


def seen(recent: FlakyRecent) -> list[str]:
    return [event.item_id for event in recent.of_user("shop", "ann")]


def test_events_go_through_while_all_is_well() -> None:
    recent = FlakyRecent(lambda _: EVENT_TYPES)
    RecentEventBuffer(recent).record("shop", [an_event(1)], 5)
    assert seen(recent) == ["i1"]


def test_events_of_an_outage_count_once_the_store_is_back() -> None:
    recent, states = FlakyRecent(lambda _: EVENT_TYPES), []
    buffer = RecentEventBuffer(recent, states.append)
    recent.away = True
    for number in range(3):
        with pytest.raises(Unavailable):
            buffer.record("shop", [an_event(number)], number)
    # Only the first of them waited for the store.
    assert recent.asked == 1
    buffer.retry()
    assert seen(recent) == []
    recent.away = False
    buffer.retry()
    assert seen(recent) == ["i0", "i1", "i2"]
    assert [event.received_ms for event in recent.of_user("shop", "ann")] == [0, 1, 2]
    buffer.record("shop", [an_event(3)], 3)
    assert seen(recent) == ["i0", "i1", "i2", "i3"]
    assert states == [False, True]


def test_it_says_what_is_wrong_with_the_store_and_what_is_wrong_now() -> None:
    recent = FlakyRecent(lambda _: EVENT_TYPES)
    buffer = RecentEventBuffer(recent)
    recent.away = True
    for why in ("it is full", "it is full", "its password is another one"):
        recent.why = why
        buffer.retry()
        with pytest.raises(Unavailable, match=why):
            buffer.record("shop", [an_event(1)], 1)
        with pytest.raises(Unavailable, match=why):
            buffer.excluded("shop", "ann")
        with pytest.raises(Unavailable, match=why):
            buffer.forget("shop", "ann")


def test_it_recovers_by_itself() -> None:
    recent = FlakyRecent(lambda _: EVENT_TYPES)
    buffer = RecentEventBuffer(recent)
    buffer.start()
    recent.away = True
    with pytest.raises(Unavailable):
        buffer.record("shop", [an_event(1)], 1)
    recent.away = False
    eventually(lambda: seen(recent) == ["i1"])
    buffer.stop()


def test_what_is_kept_at_the_end_gets_a_last_try() -> None:
    recent = FlakyRecent(lambda _: EVENT_TYPES)
    buffer = RecentEventBuffer(recent)
    buffer.start()
    recent.away = True
    with pytest.raises(Unavailable):
        buffer.record("shop", [an_event(1)], 1)
    recent.away = False
    buffer.stop()
    assert seen(recent) == ["i1"]


def test_the_oldest_are_dropped_when_an_outage_lasts_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_KEPT_EVENTS", 3)
    recent = FlakyRecent(lambda _: EVENT_TYPES)
    buffer = RecentEventBuffer(recent)
    recent.away = True
    for number in range(5):
        with pytest.raises(Unavailable):
            buffer.record("shop", [an_event(number)], number)
    recent.away = False
    buffer.retry()
    assert seen(recent) == ["i2", "i3", "i4"]


def test_what_is_given_up_at_the_end_is_reported() -> None:
    recent = FlakyRecent(lambda _: EVENT_TYPES)
    buffer = RecentEventBuffer(recent)
    buffer.start()
    recent.away = True
    with pytest.raises(Unavailable):
        buffer.record("shop", [an_event(1)], 1)
    with capture_logs() as logs:
        buffer.stop()
    assert {"event": "recent_behaviour_dropped", "events": 1} in [
        {name: line.get(name) for name in ("event", "events")} for line in logs
    ]
