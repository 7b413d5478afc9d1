"""All recommenders: questions wait here for the next free one.

A question that got lost with its replica, or that a replica keeps too long, goes to another one:
reading changes nothing. When no replica can answer in time, what is popular is the answer.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import grpc
import structlog

from recsys.core.serving.request import RecommendationRequest
from recsys.rpc.questions import MAX_QUESTIONS, PIECE_BYTES
from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.http.readiness import READY
from services.gateway.schemas.problems import (
    NO_MODEL,
    OVERLOADED,
    TIMED_OUT,
    UNAVAILABLE,
    ProblemError,
    ProblemType,
)
from services.gateway.upstream.popular_snapshot import PopularSnapshots
from services.gateway.upstream.replica import PendingRequest
from services.gateway.upstream.replicas import ReplicaAddresses, Replicas
from services.gateway.upstream.rpc_problems import problem_of_status
from services.gateway.upstream.standing_queue import StandingQueue

# Below this many, one request costs less than what answering on two replicas at once would save.
_MIN_BATCH = 32
# And this long at most they wait for others.
_GATHER_SECONDS = 0.0025
# Fewer that came together may have done so by chance.
_MIN_EXPECTED = 3
_MAX_ATTEMPTS = 2
# A replica answers the quick questions of a request in a few milliseconds, or it is in trouble.
HUNG_SECONDS = 0.2
_SWEEP_SECONDS = 0.02
_AWAY = grpc.StatusCode.UNAVAILABLE.value[0]

_log = structlog.get_logger()


class Recommenders:
    """Make it inside the running event loop.

    Args:
        seconds: how long an answer may take.
        max_pending: questions that may be under way at once; more are refused.
        service_token: what replicas know a gateway by.
    """

    name = "recommender"

    def __init__(
        self,
        addresses: ReplicaAddresses,
        seconds: float,
        max_pending: int,
        service_token: str = "",
    ) -> None:
        self._seconds = seconds
        self._max_pending = max_pending
        self._loop = asyncio.get_running_loop()
        self._snapshots = PopularSnapshots()
        self._replicas = Replicas(
            addresses,
            service_token,
            on_free=self._flush_soon,
            on_lost=self._ask_again,
            on_snapshot=self._snapshots.take,
        )
        self._waiting: deque[PendingRequest] = deque()
        self._standing = StandingQueue()
        self._pending = 0
        # The questions by the time at which they end; some are answered already.
        self._ending: deque[PendingRequest] = deque()
        self._last_count = 0
        self._sweeping = False
        self._sweep_due = 0.0
        self._flushing = False
        self._gathering: asyncio.TimerHandle | None = None

    def is_ready(self) -> bool:
        """Tell whether any replica responds."""
        return self._replicas.is_any_ready()

    def count_ready(self) -> int:
        """Count the replicas that may be asked."""
        return self._replicas.count_ready()

    def state(self) -> str:
        """Describe the state in a word, for people."""
        if not self.is_ready():
            return "unavailable"
        if self._snapshots.is_empty():
            return "no model yet"
        if self._replicas.is_any_refusing():
            return f"{READY}, but a replica keeps an older model: see recsys models list"
        return READY

    def pending(self) -> int:
        """Count the requests under way."""
        return self._pending

    async def ask(self, request: RecommendationRequest) -> pb.RenderedAnswer:
        """The answer, degraded where it has to be.

        Raises:
            ProblemError: when there is none, or there are too many questions already.
        """
        now = self._loop.time()
        if not self._can_ask(now):
            return self._fall_back(request, UNAVAILABLE)
        self._shed(now)
        asked = PendingRequest(request, now + self._seconds, self._loop.create_future())
        self._pending += 1
        try:
            return await self._answered(asked)
        finally:
            self._pending -= 1

    async def close(self) -> None:
        await self._replicas.close()

    async def _answered(self, asked: PendingRequest) -> pb.RenderedAnswer:
        while True:
            self._queue(asked)
            answer = await asked.answer
            if answer.no_model and not self._snapshots.knows(asked.request.tenant):
                raise ProblemError(NO_MODEL, answer.error_details)
            cannot = answer.no_model or answer.error_code == _AWAY
            if cannot and asked.attempts < _MAX_ATTEMPTS:
                # One replica may have what another one has not loaded yet.
                asked.answer = self._loop.create_future()
                continue
            if answer.no_model:
                return self._fall_back(asked.request, UNAVAILABLE)
            if answer.error_code:
                raise problem_of_status(answer.error_code, answer.error_details, self.name)
            return answer

    def _queue(self, asked: PendingRequest) -> None:
        asked.waiting_since = self._loop.time()
        self._waiting.append(asked)
        self._ending.append(asked)
        self._flush_soon()
        self._sweep_soon()

    def _can_ask(self, now: float) -> bool:
        return self._replicas.can_answer_within(self._seconds, now)

    def _shed(self, now: float) -> None:
        # A free replica takes that many at once: fewer are no queue.
        is_standing = len(self._waiting) >= MAX_QUESTIONS and self._standing.refuses(
            now - self._waiting[0].waiting_since, now
        )
        if self._pending >= self._max_pending or (is_standing and self.is_ready()):
            raise _problem(OVERLOADED, "too many requests at once")

    def _fall_back(
        self, request: RecommendationRequest, otherwise: ProblemType
    ) -> pb.RenderedAnswer:
        # Nobody here knows which items a filter lets pass: none is better than a wrong one.
        answer = None if request.filter else self._snapshots.answer(request)
        if answer is None:
            raise _problem(otherwise, f"{self.name} did not respond in time")
        return answer

    def _flush_soon(self) -> None:
        """After all requests that are there already have asked."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        now = self._loop.time()
        replicas = self._replicas
        while self._waiting and self._is_worth_a_request(now) and (free := replicas.next_free()):
            share = -(-len(self._waiting) // replicas.count_free())
            most = min(max(share, _MIN_BATCH), MAX_QUESTIONS)
            if batch := self._next_batch(most):
                self._last_count = len(batch)
                shortest_wait = now - batch[-1].waiting_since
                self._standing.passed(shortest_wait, len(self._waiting), now)
                free.send(batch, now)

    def _is_worth_a_request(self, now: float) -> bool:
        """Few questions wait a moment for company: a message costs many times what one does.

        For the request under way to end, if there is one; else for those who were answered together
        to ask again, as clients that keep their connections do.
        """
        count = len(self._waiting)
        expected = self._last_count if self._last_count >= _MIN_EXPECTED else 1
        if count >= _MIN_BATCH or (count >= expected and not self._replicas.is_any_busy()):
            return True
        left = self._waiting[0].waiting_since + _GATHER_SECONDS - now
        if left > 0 and self._gathering is None:
            self._gathering = self._loop.call_later(left, self._flush_gathered)
        return left <= 0

    def _flush_gathered(self) -> None:
        self._gathering = None
        self._flush()

    def _next_batch(self, most: int) -> list[PendingRequest]:
        batch: list[PendingRequest] = []
        room_bytes = PIECE_BYTES
        while self._waiting and len(batch) < most:
            asked = self._waiting[0]
            if not asked.is_over:
                room_bytes -= asked.max_bytes
                if batch and room_bytes < 0:
                    break
                batch.append(asked)
            self._waiting.popleft()
        return batch

    def _ask_again(self, lost: Sequence[PendingRequest]) -> None:
        """Put questions that got no answer where they were first in line again."""
        now = self._loop.time()
        for asked in reversed(lost):
            if asked.attempts < _MAX_ATTEMPTS:
                asked.waiting_since = now
                self._waiting.appendleft(asked)
            else:
                self._end(asked, UNAVAILABLE)
        if not self._can_ask(now):
            while self._waiting:
                self._end(self._waiting.popleft(), UNAVAILABLE)
        self._flush_soon()

    def _end(self, asked: PendingRequest, otherwise: ProblemType) -> None:
        """Answer with what is at hand."""
        if asked.is_over:
            return
        _log.info("question_without_answer", attempts=asked.attempts)
        try:
            answer = self._fall_back(asked.request, otherwise)
            asked.answer.set_result(answer)
        except ProblemError as problem:
            asked.answer.set_exception(problem)

    def _sweep_soon(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            self._sweep_due = self._loop.time() + _SWEEP_SECONDS
            self._loop.call_at(self._sweep_due, self._sweep)

    def _sweep(self) -> None:
        """Look after all that is under way: one timer for all instead of one for each."""
        self._sweeping = False
        now = self._loop.time()
        stood_still = now - self._sweep_due
        for replica in self._replicas:
            if stood_still > _SWEEP_SECONDS:
                # What it said meanwhile is still to be read.
                replica.pass_over(stood_still)
            if replica.is_silent(now, HUNG_SECONDS):
                replica.give_up(now)
            elif overdue := replica.take_overdue(now - self._seconds / 2, _MAX_ATTEMPTS):
                self._ask_again(overdue)
        while self._ending and (self._ending[0].is_over or self._ending[0].deadline_at <= now):
            self._end(self._ending.popleft(), TIMED_OUT)
        if self._ending:
            self._sweep_soon()


def _problem(kind: ProblemType, detail: str) -> ProblemError:
    headers = {} if kind is TIMED_OUT else {"Retry-After": "1"}
    return ProblemError(kind, detail, headers=headers)
