"""One gateway's stream of questions: read a batch, answer it, and the slow ones when they are done.

Answers leave as soon as there are any. What is ready at the same moment shares a message, or more
than one where it would be too large: then the stream would end, for everybody.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any

import grpc
import structlog

from recsys.core.errors import InvalidMessage
from recsys.core.limits import MAX_LIMIT
from recsys.core.serving.generators import Query
from recsys.core.serving.lists import NO_LIST
from recsys.core.serving.pipeline import recommend
from recsys.core.serving.request import FOR_USER
from recsys.rpc.questions import MAX_QUESTIONS, MAX_QUESTIONS_UNDER_WAY, in_pieces
from recsys.rpc.v1 import recommender_pb2 as pb
from services.recommender.answer_batch import BatchAnswers
from services.recommender.model.follower import ModelFollower
from services.recommender.model.serving import Serving
from services.recommender.rendering import render_items

# The text of an error, which runtime.grpc.errors cuts, and some numbers.
_MAX_BYTES_BESIDES_JSON = 600

# For a client that reads no more, and whose stream is ended for what it has sent.
_LAST_WRITE_SECONDS = 1.0

_log = structlog.get_logger()


class Streams:
    """All open streams of this process, and what concerns every one of them."""

    def __init__(self, follower: ModelFollower) -> None:
        self._follower = follower
        self._open: set[AnswerStream] = set()
        self.ready = asyncio.Event()
        self.draining = False
        follower.on_change = self.announce

    def add(self, stream: "AnswerStream") -> None:
        self._open.add(stream)

    def remove(self, stream: "AnswerStream") -> None:
        self._open.discard(stream)

    def drain(self) -> None:
        """Ask for no further questions."""
        self.draining = True
        self.announce()

    def announce(self) -> None:
        """Something has changed that gateways are to know."""
        for stream in self._open:
            stream.wake()

    def current(self) -> dict[str, Serving]:
        return self._follower.current()


class AnswerStream:
    """Serves one call of StreamAnswers."""

    def __init__(self, answers: BatchAnswers, streams: Streams, context: Any) -> None:
        self._answers = answers
        self._streams = streams
        self._context = context
        self._ready: list[pb.RenderedAnswer] = []
        # Questions that were read, and whose answers have not been written yet.
        self._under_way = 0
        self._written = asyncio.Event()
        self._requests_read = 0
        self._requests_told = 0
        self._told: dict[str, Serving] = {}
        self._awake = asyncio.Event()
        self._ending = False
        self._slow: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Until the gateway wants no more, or hangs up.

        Raises:
            InvalidMessage: for a request that cannot be read, or asks too much.
        """
        await self._streams.ready.wait()
        self._streams.add(self)
        self.wake()
        reading, writing = map(asyncio.create_task, (self._read(), self._write()))
        try:
            await asyncio.wait((reading, writing), return_when=asyncio.FIRST_EXCEPTION)
            if reading.done():
                # A call that is ended in the middle of a write hangs: that write comes first.
                self._ending = True
                self.wake()
                await asyncio.wait((writing,), timeout=_LAST_WRITE_SECONDS)
            await asyncio.gather(reading, writing)
        finally:
            self._streams.remove(self)
            for task in (reading, writing, *self._slow):
                task.cancel()

    def wake(self) -> None:
        """Send what there is."""
        self._awake.set()

    async def _read(self) -> None:
        while (request := await self._context.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]  # missing in the stubs
            await self._take(request.questions)
            # Until then what is asked further waits on the other side of the wire.
            while self._under_way > MAX_QUESTIONS_UNDER_WAY - MAX_QUESTIONS:
                self._written.clear()
                await self._written.wait()
        if self._slow:
            await asyncio.wait(self._slow)
        self._ending = True
        self.wake()

    async def _take(self, questions: Sequence[pb.Question]) -> None:
        if len(questions) > MAX_QUESTIONS:
            raise InvalidMessage(
                f"a request may hold {MAX_QUESTIONS} questions, and not {len(questions)}"
            )
        self._under_way += len(questions)
        quick, slow = await self._answers.to(questions)
        self._ready += quick
        self._requests_read += 1
        self.wake()
        for each in slow:
            task = asyncio.create_task(self._take_slow(each))
            self._slow.add(task)
            task.add_done_callback(self._slow.discard)

    async def _take_slow(self, coming: Awaitable[pb.RenderedAnswer]) -> None:
        self._ready.append(await coming)
        self.wake()

    async def _write(self) -> None:
        while self._awake.is_set() or not self._ending:
            await self._awake.wait()
            self._awake.clear()
            for message in self._messages():
                await self._context.write(message)
                self._under_way -= len(message.answers)
                self._written.set()

    def _messages(self) -> Iterator[pb.StreamAnswersResponse]:
        """Messages to be written now, at least one that shows that this replica is there."""
        answers, self._ready = list(in_pieces(self._ready, _max_bytes)), []
        requests_read = self._requests_read
        news = list(in_pieces(self._news(), pb.Snapshot.ByteSize))
        for number in range(max(len(answers), len(news), 1)):
            if number >= len(answers) - 1:
                # All quick answers of these requests are out.
                self._requests_told = requests_read
            yield pb.StreamAnswersResponse(
                answers=answers[number] if number < len(answers) else (),
                requests_read=self._requests_told,
                snapshots=news[number] if number < len(news) else (),
                draining=self._streams.draining,
            )

    def _news(self) -> Iterator[pb.Snapshot]:
        """Collect the snapshots that this gateway has not been sent yet."""
        told, self._told = self._told, self._streams.current()
        for tenant, serving in self._told.items():
            if told.get(tenant) is not serving:
                try:
                    yield _snapshot(tenant, serving)
                except Exception:  # the gateway keeps the one before, and all others get theirs
                    _log.exception("snapshot_failed", tenant=tenant)


def _max_bytes(answer: pb.RenderedAnswer) -> int:
    # Asking protobuf takes several times longer.
    return len(answer.json) + _MAX_BYTES_BESIDES_JSON


def _snapshot(tenant: str, serving: Serving) -> pb.Snapshot:
    model = serving.model
    popular = recommend(Query(serving.now, NO_LIST), FOR_USER, MAX_LIMIT)
    return pb.Snapshot(
        tenant=tenant,
        model_version=model.version,
        popular_json=render_items(popular, model),
        newer_refused=serving.refused is not None,
    )
