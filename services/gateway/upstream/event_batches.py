"""Small batches of events wait here for a moment, and go to ingest together.

A call, and the write to the store behind it, cost about the same for one event as for many. While
as many calls are under way as can be of use, what comes meanwhile is gathered for the next: nobody
waits when little comes, and the more comes, the more share a call (group commit).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from recsys.core.limits import MAX_EVENT_BATCHES
from recsys.core.wording import pluralize
from recsys.rpc.v1 import ingest_pb2
from recsys.runtime.deadline import Deadline
from services.gateway.schemas.problems import OVERLOADED, TIMED_OUT, ProblemError

# Of a call: what a store writes at once, and little enough that nobody waits long for the others.
MAX_EVENTS_OF_A_CALL = 200
# A batch of more gains nothing by company, and would keep it waiting.
MAX_EVENTS_OF_A_SMALL_BATCH = 50
# Two at once were measured to share out the same events over more calls, each with its own cost.
CALLS_AT_ONCE = 1
# A call that takes longer waits for a store, or for a replica that hangs: others go on without it.
SLOW_SECONDS = 0.1
# Of slow ones and quick ones: further ones would take ingest's threads from whoever else asks.
MAX_CALLS = 16
# Some seconds' worth; more would have to wait longer than anybody does.
MAX_WAITING_EVENTS = 10_000

# Sends batches and returns what became of each; raises ProblemError for all of them.
Send = Callable[
    [ingest_pb2.RecordEventBatchesRequest, Deadline], Awaitable[Sequence[ingest_pb2.RecordedBatch]]
]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A batch, and who waits for what becomes of it."""

    batch: ingest_pb2.RecordEventsRequest
    deadline: Deadline
    result: "asyncio.Future[ingest_pb2.RecordedBatch]"


class EventBatches:
    """The batches of one gateway. Make it inside the running event loop."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_events = 0
        self._calls: set[asyncio.Task[None]] = set()
        self._quick: set[object] = set()

    async def record(
        self, batch: ingest_pb2.RecordEventsRequest, deadline: Deadline
    ) -> ingest_pb2.RecordedBatch:
        """Send a batch with the next call.

        Raises:
            ProblemError: too many wait already, the call failed, or there was no time for one.
        """
        if self._waiting_events + len(batch.events) > MAX_WAITING_EVENTS:
            detail = (
                f"{pluralize(self._waiting_events, 'event waits', 'events wait')} to be recorded"
            )
            raise ProblemError(OVERLOADED, detail, headers={"Retry-After": "1"})
        one = _Waiting(batch, deadline, self._loop.create_future())
        self._waiting.append(one)
        self._waiting_events += len(batch.events)
        if len(self._waiting) == 1:
            # After all that are read at this moment: they share the call.
            self._loop.call_soon(self._begin_calls)
        return await one.result

    def _begin_calls(self) -> None:
        while self._waiting and len(self._quick) < CALLS_AT_ONCE and len(self._calls) < MAX_CALLS:
            if gathered := self._gather():
                call = self._loop.create_task(self._call(gathered))
                self._calls.add(call)
                self._quick.add(call)
                self._loop.call_later(SLOW_SECONDS, self._give_up_place, call)
                call.add_done_callback(self._end)

    def _give_up_place(self, call: object) -> None:
        if call in self._quick:
            self._quick.discard(call)
            self._begin_calls()

    def _end(self, call: "asyncio.Task[None]") -> None:
        self._calls.discard(call)
        self._quick.discard(call)
        self._begin_calls()

    def _gather(self) -> list[_Waiting]:
        """Those that the next call takes along; none where nobody waits any longer."""
        gathered, events = list[_Waiting](), 0
        while self._waiting and len(gathered) < MAX_EVENT_BATCHES:
            size = len(self._waiting[0].batch.events)
            if gathered and events + size > MAX_EVENTS_OF_A_CALL:
                break
            one = self._waiting.popleft()
            self._waiting_events -= size
            if one.result.done():
                continue
            if one.deadline.timeout() <= 0:
                problem = ProblemError(TIMED_OUT, "ingest did not respond in time")
                one.result.set_exception(problem)
                continue
            gathered.append(one)
            events += size
        return gathered

    async def _call(self, gathered: Sequence[_Waiting]) -> None:
        request = ingest_pb2.RecordEventBatchesRequest(batches=[one.batch for one in gathered])
        try:
            # The first has waited longest.
            results = await self._send(request, gathered[0].deadline)
            for one, result in zip(gathered, results, strict=True):
                if not one.result.done():
                    one.result.set_result(result)
        except Exception as error:
            for one in gathered:
                if not one.result.done():
                    one.result.set_exception(error)
