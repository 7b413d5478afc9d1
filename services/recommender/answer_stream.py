"""One gateway's stream of questions: read a batch, answer it, and the slow ones when they are done.

A batch costs one message each way, whatever it holds. Answers leave as soon as there are any; what
is ready at the same moment shares a message.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import grpc

from recsys.core.recommend import NO_LIST, answer
from recsys.rpc.v1 import recommender_pb2 as pb
from services.recommender.answer_batch import BatchAnswers
from services.recommender.follower import ModelFollower, Serving
from services.recommender.questions import MAX_LIMIT
from services.recommender.rendering import render_items


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
        self._requests_read = 0
        self._told: dict[str, Serving] = {}
        self._awake = asyncio.Event()
        self._ending = False
        self._slow: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Until the gateway wants no more, or hangs up."""
        await self._streams.ready.wait()
        self._streams.add(self)
        writer = asyncio.create_task(self._write())
        try:
            self.wake()
            while (request := await self._context.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]  # missing in the stubs
                await self._take(request.questions)
            if self._slow:
                await asyncio.wait(self._slow)
            self._ending = True
            self.wake()
            await writer
        finally:
            self._streams.remove(self)
            for task in (writer, *self._slow):
                task.cancel()

    def wake(self) -> None:
        """Send what there is."""
        self._awake.set()

    async def _take(self, questions: Iterable[pb.Question]) -> None:
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
            await self._flush()

    async def _flush(self) -> None:
        self._awake.clear()
        message = pb.StreamAnswersResponse(
            answers=self._ready,
            requests_read=self._requests_read,
            snapshots=self._news(),
            draining=self._streams.draining,
        )
        self._ready = []
        await self._context.write(message)

    def _news(self) -> list[pb.Snapshot]:
        """What this gateway has not been told yet."""
        current = self._streams.current()
        news = [
            _snapshot(tenant, serving)
            for tenant, serving in current.items()
            if self._told.get(tenant) is not serving
        ]
        self._told = current
        return news


def _snapshot(tenant: str, serving: Serving) -> pb.Snapshot:
    model = serving.model
    popular = answer(NO_LIST, model.items, serving.hidden, MAX_LIMIT)
    return pb.Snapshot(
        tenant=tenant,
        model_version=model.version,
        popular_json=render_items(popular, model),
    )
