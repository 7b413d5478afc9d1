"""Events in the background: when they are sent, and what becomes of them when that fails."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from recsys_client import (
    AsyncEventQueue,
    Event,
    EventQueue,
    EventQueueClosed,
    EventQueueFull,
    EventsNotSent,
    NotReached,
    WrongKey,
)
from recsys_client.errors import api_error
from recsys_client.event_buffer import EventBuffer
from recsys_client.models import EventsAnswer, ProblemDetails

from tests.eventually import eventually
from tests.unit.clients.fake_api import PROBLEM, FakeApi, problem

WAITS = 3600.0


def view(item_id: str) -> Event:
    return Event(user_id="ann", item_id=item_id, event_type="view")


def answer(*statuses: str) -> EventsAnswer:
    results: list[Any] = [
        {
            "index": n,
            "status": status,
            "event_id": None,
            "problems": [{"field": "user_id", "reason": "is too long"}] * (status == "rejected"),
        }
        for n, status in enumerate(statuses)
    ]
    counts = {"accepted": 0, "duplicate": 0, "rejected": 0, "degraded": False}
    return EventsAnswer.model_validate(counts | {"results": results, "request_id": "r"})


@pytest.fixture
def buffer() -> EventBuffer:
    return EventBuffer(max_batch=2, flush_seconds=1.0, max_queued=3)


def test_an_event_waits_for_others_until_there_is_a_batch(buffer: EventBuffer) -> None:
    assert buffer.seconds_until_due(now=10) is None
    buffer.put(view("a"), now=10)
    assert buffer.seconds_until_due(now=10.4) == pytest.approx(0.6)
    assert buffer.seconds_until_due(now=12) == 0
    buffer.put(view("b"), now=10.5)
    assert buffer.seconds_until_due(now=10.5) == 0
    assert [event.item_id for event in buffer.batch()] == ["a", "b"]


def test_a_full_buffer_takes_no_more(buffer: EventBuffer) -> None:
    for item_id in "abc":
        buffer.put(view(item_id), now=0)
    with pytest.raises(EventQueueFull, match="3 events wait"):
        buffer.put(view("d"), now=0)


def test_a_failure_that_may_pass_is_waited_for_ever_longer(buffer: EventBuffer) -> None:
    buffer.put(view("a"), now=0)
    waits = []
    for _ in range(9):
        assert buffer.take_error(buffer.batch(), NotReached(), now=100) == []
        waits.append(buffer.seconds_until_due(now=100))
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    buffer.take_answer(buffer.batch(), answer("accepted"), now=200)
    assert buffer.left() == []


def test_a_server_that_says_when_to_come_again_is_believed(buffer: EventBuffer) -> None:
    buffer.put(view("a"), now=0)
    busy = api_error(ProblemDetails.model_validate(PROBLEM), retry_after_seconds=7.0)
    buffer.take_error(buffer.batch(), busy, now=100)
    assert buffer.seconds_until_due(now=100) == 7


def test_a_rejected_event_is_told_with_its_reason(buffer: EventBuffer) -> None:
    for item_id in "ab":
        buffer.put(view(item_id), now=0)
    [(event, reason)] = buffer.take_answer(buffer.batch(), answer("accepted", "rejected"), now=0)
    assert (event.item_id, reason) == ("b", "user_id is too long")


def test_a_failure_that_stays_gives_the_batch_up(buffer: EventBuffer) -> None:
    buffer.put(view("a"), now=0)
    wrong_key = api_error(ProblemDetails.model_validate(PROBLEM | {"status": 401}), None)
    assert isinstance(wrong_key, WrongKey)
    [(event, reason)] = buffer.take_error(buffer.batch(), wrong_key, now=0)
    assert (event.item_id, reason[:3]) == ("a", "401")
    assert buffer.left() == []


def blocking(api: FakeApi, put: list[Event], **options: Any) -> None:
    with api.client() as client, EventQueue(client, **options) as queue:
        for event in put:
            queue.put(event)


def awaiting(api: FakeApi, put: list[Event], **options: Any) -> None:
    async def run() -> None:
        async with api.async_client() as client, AsyncEventQueue(client, **options) as queue:
            for event in put:
                queue.put(event)

    asyncio.run(run())


BOTH = pytest.mark.parametrize("send", [blocking, awaiting])
Send = Callable[..., None]


@BOTH
def test_closing_sends_what_waits_in_batches_and_in_order(send: Send) -> None:
    api = FakeApi()
    send(api, [view(str(n)) for n in range(5)], max_batch=2, flush_seconds=WAITS)
    assert [event["item_id"] for event in api.events()] == list("01234")
    assert max(len(body["events"]) for body in api.bodies()) <= 2


@BOTH
def test_an_outage_costs_no_event_and_counts_none_twice(send: Send) -> None:
    # One failure more than the client repeats by itself.
    api = FakeApi([httpx.ConnectError("away")] * 3)
    send(api, [view("a")], flush_seconds=0)
    assert len(api.requests) == 4
    assert len({event["event_id"] for event in api.events()}) == 1


@BOTH
def test_what_is_rejected_is_handed_over(send: Send) -> None:
    lost: list[tuple[str, str]] = []
    send(
        *(FakeApi([problem(403)]), [view("a")]),
        on_rejected=lambda event, reason: lost.append((event.item_id, reason[:3])),
    )
    assert lost == [("a", "403")]


@BOTH
def test_a_caller_that_fails_over_a_rejection_does_not_end_the_queue(send: Send) -> None:
    def fail(event: Event, reason: str) -> None:
        raise LookupError("no such place to keep it")

    api = FakeApi([problem(403)])
    send(api, [view("a"), view("b")], max_batch=1, on_rejected=fail)
    assert [event["item_id"] for event in api.events()] == ["a", "b"]


def test_an_event_is_sent_while_the_queue_is_open() -> None:
    api = FakeApi()
    with api.client() as client, EventQueue(client, flush_seconds=0.01) as queue:
        queue.put(view("a"))
        eventually(lambda: len(api.requests) == 1)
        queue.put(view("b"))
        eventually(lambda: len(api.requests) == 2)


def test_what_could_not_be_sent_is_handed_back() -> None:
    with FakeApi([httpx.ConnectError("away")] * 1000).client() as client:
        queue = EventQueue(client)
        queue.put(view("a"))
        with pytest.raises(EventsNotSent) as raised:
            queue.close(timeout_seconds=0.1)
    [left] = raised.value.events
    assert left.item_id == "a"
    assert left.event_id


def test_a_closed_queue_takes_nothing() -> None:
    with FakeApi().client() as client:
        queue = EventQueue(client)
        queue.close()
        with pytest.raises(EventQueueClosed):
            queue.put(view("a"))


def test_a_lost_event_is_logged_without_naming_the_shopper(
    caplog: pytest.LogCaptureFixture,
) -> None:
    blocking(FakeApi([problem(401)]), [view("a")])
    assert "was rejected: 401" in caplog.text
    assert "ann" not in caplog.text
