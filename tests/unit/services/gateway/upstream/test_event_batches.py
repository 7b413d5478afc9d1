"""Group commit of events: who shares a call, who waits, and who gets what."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from recsys.core.limits import MAX_EVENT_BATCHES
from recsys.rpc.v1 import ingest_pb2 as pb
from recsys.runtime.deadline import Deadline
from services.gateway.schemas.problems import OVERLOADED, TIMED_OUT, UNAVAILABLE, ProblemError
from services.gateway.upstream import event_batches
from services.gateway.upstream.event_batches import (
    CALLS_AT_ONCE,
    MAX_EVENTS_OF_A_CALL,
    MAX_WAITING_EVENTS,
    EventBatches,
)

PLENTY = Deadline(at=math.inf)


class Ingest:
    """Takes calls, and answers each when the test says so.

    Attributes:
        calls: of each, the users of its events.
    """

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.deadlines: list[Deadline] = []
        self._answers: list[asyncio.Future[None]] = []

    async def send(
        self, request: pb.RecordEventBatchesRequest, deadline: Deadline
    ) -> Sequence[pb.RecordedBatch]:
        self.calls.append([event.user_id for batch in request.batches for event in batch.events])
        self.deadlines.append(deadline)
        self._answers.append(asyncio.get_running_loop().create_future())
        await self._answers[-1]
        return [
            pb.RecordedBatch(recorded=pb.RecordEventsResponse(results=map(_accepted, batch.events)))
            for batch in request.batches
        ]

    def answer(self, call: int) -> None:
        self._answers[call].set_result(None)

    def fail(self, call: int, error: Exception) -> None:
        self._answers[call].set_exception(error)


def _accepted(event: pb.Event) -> pb.EventResult:
    return pb.EventResult(status=pb.EVENT_STATUS_ACCEPTED, event_id=f"of {event.user_id}")


def a_batch(*users: str) -> pb.RecordEventsRequest:
    return pb.RecordEventsRequest(tenant="shop", events=[pb.Event(user_id=user) for user in users])


def ids(result: pb.RecordedBatch) -> list[str]:
    return [each.event_id for each in result.recorded.results]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(scenario: Callable[[EventBatches, Ingest], Awaitable[Any]]) -> None:
    async def main() -> None:
        ingest = Ingest()
        await asyncio.wait_for(scenario(EventBatches(ingest.send), ingest), 20)

    asyncio.run(main())


def tasks_of(
    batches: EventBatches, *users: str, deadline: Deadline = PLENTY
) -> "list[asyncio.Task[pb.RecordedBatch]]":
    return [asyncio.create_task(batches.record(a_batch(user), deadline)) for user in users]


def test_one_alone_leaves_at_once_and_those_of_a_moment_share_a_call() -> None:
    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        together = tasks_of(batches, "a", "b", "c")
        await settle()
        assert ingest.calls == [["a", "b", "c"]]
        ingest.answer(0)
        assert [ids(result) for result in await asyncio.gather(*together)] == [
            ["of a"],
            ["of b"],
            ["of c"],
        ]

    run(scenario)


def test_what_comes_while_calls_are_under_way_is_gathered_for_the_next() -> None:
    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        for n in range(CALLS_AT_ONCE):
            tasks_of(batches, f"first {n}")
            await settle()
        later = tasks_of(batches, *(f"later {n}" for n in range(MAX_EVENT_BATCHES + 1)))
        await settle()
        assert len(ingest.calls) == CALLS_AT_ONCE
        ingest.answer(0)
        await settle()
        assert ingest.calls[CALLS_AT_ONCE:] == [[f"later {n}" for n in range(MAX_EVENT_BATCHES)]]
        ingest.answer(CALLS_AT_ONCE)
        await settle()
        assert ingest.calls[-1] == [f"later {MAX_EVENT_BATCHES}"]
        ingest.answer(CALLS_AT_ONCE + 1)
        await asyncio.gather(*later)

    run(scenario)


def test_a_call_takes_no_more_events_than_a_store_writes_at_once() -> None:
    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        size = MAX_EVENTS_OF_A_CALL // 2 - 1
        sent = [
            asyncio.create_task(batches.record(a_batch(*[name] * size), PLENTY)) for name in "abc"
        ]
        for call in range(2):
            while len(ingest.calls) <= call:
                await asyncio.sleep(0)
            ingest.answer(call)
        await asyncio.gather(*sent)
        assert [len(call) for call in ingest.calls] == [2 * size, size]

    run(scenario)


def test_a_slow_call_makes_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_batches, "SLOW_SECONDS", 0.01)

    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        for n in range(CALLS_AT_ONCE):
            tasks_of(batches, f"slow {n}")
            await settle()
        [other] = tasks_of(batches, "other")
        while len(ingest.calls) == CALLS_AT_ONCE:
            await asyncio.sleep(0.001)
        ingest.answer(CALLS_AT_ONCE)
        assert ids(await other) == ["of other"]

    run(scenario)


def test_slow_calls_do_not_grow_without_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_batches, "SLOW_SECONDS", 0.0)
    monkeypatch.setattr(event_batches, "MAX_CALLS", 3)

    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        for n in range(6):
            tasks_of(batches, str(n))
            await asyncio.sleep(0.005)
        assert ingest.calls == [["0"], ["1"], ["2"]]
        ingest.answer(1)
        await asyncio.sleep(0.005)
        assert ingest.calls[3:] == [["3", "4", "5"]]

    run(scenario)


def test_what_becomes_of_one_batch_is_told_to_nobody_else() -> None:
    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        failure = pb.RecordedBatch(failure=pb.Failure(code=14, details="away"))

        async def send(request: Any, deadline: Deadline) -> list[pb.RecordedBatch]:
            good = await ingest.send(request, deadline)
            return [failure, *good[1:]]

        batches = EventBatches(send)
        bad, good = tasks_of(batches, "bad", "good")
        await settle()
        ingest.answer(0)
        assert (await bad).failure.details == "away"
        assert ids(await good) == ["of good"]

    run(scenario)


def test_a_call_that_fails_fails_all_its_batches_and_no_other() -> None:
    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        lost = tasks_of(batches, "a", "b")
        await settle()
        [other] = tasks_of(batches, "other")
        await settle()
        ingest.fail(0, ProblemError(UNAVAILABLE, "ingest is unavailable"))
        while len(ingest.calls) == 1:
            await asyncio.sleep(0)
        ingest.answer(1)
        errors = await asyncio.gather(*lost, return_exceptions=True)
        assert [error.kind for error in errors if isinstance(error, ProblemError)] == [
            UNAVAILABLE,
            UNAVAILABLE,
        ]
        assert ids(await other) == ["of other"]

    run(scenario)


def test_a_call_has_the_time_of_the_one_that_waited_longest() -> None:
    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        first, second = Deadline.after(10), Deadline.after(20)
        tasks_of(batches, "a", deadline=first)
        tasks_of(batches, "b", deadline=second)
        await settle()
        assert ingest.deadlines == [first]

    run(scenario)


def test_who_has_no_time_left_or_went_away_is_not_sent() -> None:
    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        gone, late, other = (
            *tasks_of(batches, "gone"),
            *tasks_of(batches, "late", deadline=Deadline.after(0)),
            *tasks_of(batches, "other"),
        )
        gone.cancel()
        with pytest.raises(ProblemError) as raised:
            await late
        assert raised.value.kind is TIMED_OUT
        assert ingest.calls == [["other"]]
        ingest.answer(0)
        await other

    run(scenario)


def test_more_than_can_wait_are_turned_away_and_told_when_to_come_again() -> None:
    async def scenario(batches: EventBatches, ingest: Ingest) -> None:
        size = MAX_EVENTS_OF_A_CALL
        waiting = [
            asyncio.create_task(batches.record(a_batch(*"x" * size), PLENTY))
            for _ in range(MAX_WAITING_EVENTS // size)
        ]
        # Before any call has begun.
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as raised:
            await batches.record(a_batch("one more"), PLENTY)
        assert raised.value.kind is OVERLOADED
        assert raised.value.headers == {"Retry-After": "1"}
        for call in range(len(waiting)):
            while len(ingest.calls) <= call:
                await asyncio.sleep(0)
            ingest.answer(call)
        await asyncio.gather(*waiting)
        assert len(ingest.calls) == len(waiting)
        [again] = tasks_of(batches, "one more")
        await settle()
        ingest.answer(len(waiting))
        assert ids(await again) == ["of one more"]

    run(scenario)
