"""One recommender, over a stream that lives as long as both ends do.

One request is on its way at a time: what is asked meanwhile becomes the next one. So batches grow
with the load by themselves, and nothing waits when there is none.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import grpc
import structlog

from recsys.auth.rpc_access import SERVICE_TOKEN_KEY
from recsys.core.serving.request import RecommendationRequest
from recsys.rpc.questions import MAX_QUESTIONS, MAX_QUESTIONS_UNDER_WAY, max_bytes, write_question
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from recsys.runtime.deadline import MARGIN_SECONDS
from recsys.runtime.grpc.channel import open_replica_channel


@dataclass(slots=True, eq=False)
class PendingRequest:
    """One question on its way, and who waits for the answer of a recommender.

    Attributes:
        deadline_at, waiting_since, sent_at: of the event loop's clock; the latter two tell when it
            last began to wait for a replica, and when it was last given to one.
        attempts: to how many it was given.
    """

    request: RecommendationRequest
    deadline_at: float
    answer: "asyncio.Future[pb.RenderedAnswer]"
    attempts: int = 0
    waiting_since: float = 0.0
    sent_at: float = 0.0

    @property
    def is_over(self) -> bool:
        """Answered, or nobody waits any longer."""
        return self.answer.done()

    @property
    def max_bytes(self) -> int:
        """Upper bound of its size in a request."""
        return max_bytes(self.request)

    def write(self, message: pb.StreamAnswersRequest, number: int, now: float) -> None:
        """Put it into a request that leaves now."""
        self.attempts += 1
        self.sent_at = now
        budget_ms = max(0, int((self.deadline_at - now - MARGIN_SECONDS) * 1000))
        write_question(message.questions.add(number=number, budget_ms=budget_ms), self.request)


# After a lost connection; doubled while calls end before anything is said.
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.1, 0.5

_log = structlog.get_logger()


class State(Enum):
    """State of a replica. HUNG: connected, but does not respond to what it was sent."""

    AWAY = "away"
    READY = "ready"
    HUNG = "hung"
    DRAINING = "draining"


class Replica:
    """Make it inside the running event loop.

    Args:
        service_token: what it knows a gateway by.
        on_free: called when the next request may be sent.
        on_lost: called with the questions that will get no answer here.
        on_snapshot: called with each snapshot the replica sends.
    """

    def __init__(
        self,
        address: str,
        service_token: str,
        *,
        on_free: Callable[[], None],
        on_lost: Callable[[Sequence[PendingRequest]], None],
        on_snapshot: Callable[[pb.Snapshot], None],
    ) -> None:
        self.address = address
        self._metadata = ((SERVICE_TOKEN_KEY, service_token),)
        self.state = State.AWAY
        # Tenants whose newest model it could not load.
        self.refusing: set[str] = set()
        self._on_free, self._on_lost, self._on_snapshot = on_free, on_lost, on_snapshot
        self._asked: dict[int, PendingRequest] = {}
        self._number = 0
        self._requests_sent = self._requests_read = 0
        # When it was last asked, or last said something.
        self._active_at = self._hung_at = 0.0
        self._outgoing: asyncio.Queue[pb.StreamAnswersRequest | None] = asyncio.Queue()
        self._is_stopped = False
        self._running = asyncio.create_task(self._run())

    @property
    def is_free(self) -> bool:
        return (
            self.state is State.READY
            and self._requests_read == self._requests_sent
            and len(self._asked) <= MAX_QUESTIONS_UNDER_WAY - MAX_QUESTIONS
        )

    @property
    def is_busy(self) -> bool:
        """With a request on its way that it should answer."""
        return self.state is State.READY and self._requests_read != self._requests_sent

    def send(self, batch: Sequence[PendingRequest], now: float) -> None:
        """Ask all of these in one request."""
        request = pb.StreamAnswersRequest()
        for asked in batch:
            self._number = self._number + 1 & 0xFFFFFFFF
            self._asked[self._number] = asked
            asked.write(request, self._number, now)
        self._requests_sent += 1
        self._active_at = now
        self._outgoing.put_nowait(request)

    def is_silent(self, now: float, seconds: float) -> bool:
        """Tell whether responses are due and nothing has come for longer than that."""
        return (
            self.state in (State.READY, State.DRAINING)
            and self._requests_read != self._requests_sent
            and now - self._active_at > seconds
        )

    def pass_over(self, seconds: float) -> None:
        """Time in which this process stood still, and could have heard nothing."""
        self._active_at += seconds

    def is_hung_for_less_than(self, seconds: float, now: float) -> bool:
        return self.state is State.HUNG and now - self._hung_at < seconds

    def give_up(self, now: float) -> None:
        """Ask nothing until it has said something again; what it was asked goes to others."""
        _log.warning("recommender_hung", address=self.address, questions=len(self._asked))
        self.state, self._hung_at = State.HUNG, now
        self._lose()

    def take_overdue(self, sent_before: float, attempts: int) -> list[PendingRequest]:
        """Take back the questions it has had since then and that had fewer attempts."""
        found = []
        # In the order of sending.
        for number, asked in list(self._asked.items()):
            if asked.sent_at > sent_before:
                break
            if asked.attempts < attempts and not asked.is_over:
                del self._asked[number]
                found.append(asked)
        return found

    def stop(self) -> "asyncio.Task[None]":
        """Hang up; returns what ends when that is done."""
        self._is_stopped = True
        self._running.cancel()
        return self._running

    def _lose(self) -> None:
        lost = [asked for asked in self._asked.values() if not asked.is_over]
        self._asked.clear()
        self._on_lost(lost)

    async def _run(self) -> None:
        """Connect, and after every end connect again."""
        pause = _FIRST_RETRY_SECONDS
        async with open_replica_channel(self.address) as channel:
            stub = RecommenderServiceStub(channel)
            # Where a call fails as it is cancelled, gRPC tells of its failure alone.
            while not self._is_stopped:
                try:
                    # Without an iterator: requests are written when there are any. Waiting for the
                    # connection, it begins as soon as there is one.
                    call = stub.StreamAnswers(  # type: ignore[call-arg]
                        metadata=self._metadata, wait_for_ready=True
                    )
                    if await self._converse(call):
                        pause = _FIRST_RETRY_SECONDS
                except grpc.aio.AioRpcError as error:
                    if self.state is not State.AWAY:
                        _log.warning(
                            "recommender_lost", address=self.address, code=error.code().name
                        )
                self._forget()
                if not self._is_stopped:
                    await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_RETRY_SECONDS)

    async def _converse(self, call: Any) -> bool:
        """Until the stream ends; whether it had begun."""
        response = await call.read()
        if response is grpc.aio.EOF:  # type: ignore[attr-defined]  # missing in the stubs
            return False
        _log.info("recommender_found", address=self.address)
        self.state = State.READY
        writing = asyncio.create_task(self._write(call))
        try:
            while response is not grpc.aio.EOF:  # type: ignore[attr-defined]
                self._take(response)
                response = await call.read()
        finally:
            writing.cancel()
            call.cancel()
        return True

    async def _write(self, call: Any) -> None:
        while request := await self._outgoing.get():
            await call.write(request)
        await call.done_writing()

    def _take(self, response: pb.StreamAnswersResponse) -> None:
        self._active_at = asyncio.get_running_loop().time()
        for snapshot in response.snapshots:
            self._on_snapshot(snapshot)
            self.refusing.discard(snapshot.tenant)
            if snapshot.newer_refused:
                self.refusing.add(snapshot.tenant)
        for answer in response.answers:
            asked = self._asked.pop(answer.number, None)
            if asked is not None and not asked.is_over:
                asked.answer.set_result(answer)
        self._requests_read = response.requests_read
        if response.draining:
            self._drain()
        elif self.state is State.HUNG:
            _log.info("recommender_answers_again", address=self.address)
            self.state = State.READY
        if self.is_free:
            self._on_free()

    def _drain(self) -> None:
        if self.state is not State.DRAINING:
            _log.info("recommender_draining", address=self.address)
            self.state = State.DRAINING
            # Says that this was the last request; the replica answers what it has, then ends.
            self._outgoing.put_nowait(None)

    def _forget(self) -> None:
        """The stream has ended: nothing of it counts for the next one."""
        self.state = State.AWAY
        self.refusing.clear()
        self._requests_sent = self._requests_read = 0
        self._outgoing = asyncio.Queue()
        self._lose()
