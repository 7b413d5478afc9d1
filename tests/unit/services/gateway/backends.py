"""Services behind the gateway in these tests: real gRPC servers over stores in memory."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import grpc

from recsys.config.address import Address
from recsys.core.errors import NoModel, Unavailable
from recsys.core.ports import AppendResult
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.ingest_pb2_grpc import add_IngestServiceServicer_to_server
from recsys.rpc.v1.recommender_pb2_grpc import (
    RecommenderServiceServicer,
    add_RecommenderServiceServicer_to_server,
)
from recsys.runtime.grpc.async_server import AsyncServer
from recsys.runtime.grpc.errors import status_of
from recsys.runtime.grpc.thread_server import ThreadServer
from recsys.runtime.metrics import new_metrics
from recsys.stores.memory.early_popularity import MemoryEarlyPopularity
from recsys.stores.memory.interactions import MemoryInteractionStore
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from recsys.stores.memory.published import MemoryPublishedModels
from recsys.stores.memory.purchases import MemoryPurchaseLog
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.memory.reports import MemoryReports
from recsys.stores.memory.users import MemoryUserStore
from services.gateway.upstream.ingest import INGEST
from services.ingest.catalogue import Catalogue
from services.ingest.cold_start import ColdStart
from services.ingest.erase_user import UserEraser
from services.ingest.merge_users import UserMerger
from services.ingest.record_events import EventRecorder
from services.ingest.servicer import IngestServicer
from services.ingest.users import Users
from tests.builders import EVENT_TYPES

RECOMMENDER = pb.DESCRIPTOR.services_by_name["RecommenderService"].full_name
LOOPBACK = Address("127.0.0.1", 0)
NOW_MS = 1_700_000_000_000

# What a recommender leaves open, the gateway closes.
ANSWER_JSON = (
    b'{"items":[{"item_id":"lamp","title":"A lamp","price":2.5,"score":0.5},'
    b'{"item_id":"filler","title":null,"price":null,"score":null}],'
    b'"source":"fold_in","model_version":"v1","degraded":false'
)
SNAPSHOT = pb.Snapshot(
    tenant="shop",
    model_version="v1",
    popular_json=[
        b'{"item_id":"%d","title":null,"price":null,"score":null}' % n for n in range(100)
    ],
)


class ScriptedRecommender(RecommenderServiceServicer):
    """Remembers what it was asked; answers ANSWER_JSON, or does as told.

    Attributes:
        failures: what the next questions get instead of an answer.
        without_model: no tenant has a model.
        silent: read, and say nothing.
        seconds: how long each question takes; requests are read meanwhile.
        seconds_per_request: how long each request takes; nothing is read meanwhile.
        seconds_per_piece: the same, with an answer after each of these.
        snapshots: sent when a stream begins.
    """

    def __init__(self, snapshots: Sequence[pb.Snapshot] = ()) -> None:
        self._snapshots = snapshots
        self.reset()

    def reset(self) -> None:
        self.asked: list[pb.Question] = []
        self.requests: list[int] = []
        self.failures: list[Exception] = []
        self.without_model = False
        self.silent = False
        self.seconds = self.seconds_per_request = self.seconds_per_piece = 0.0
        self.ended = 0
        self._contexts: list[Any] = []

    async def StreamAnswers(  # type: ignore[override]  # noqa: N802
        self, request_iterator: Any, context: Any
    ) -> None:
        del request_iterator
        context = _OneWriter(context)
        self._contexts.append(context)
        await context.write(pb.StreamAnswersResponse(snapshots=self._snapshots))
        read = 0
        async with asyncio.TaskGroup() as answering:
            while (request := await context.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
                read += 1
                self.asked += request.questions
                self.requests.append(len(request.questions))
                await asyncio.sleep(self.seconds_per_request)
                if self.seconds_per_piece:
                    await self._answer_in_pieces(request.questions, read, context)
                elif not self.silent:
                    await context.write(pb.StreamAnswersResponse(requests_read=read))
                    answering.create_task(
                        self._answer(request.questions, lambda: read, context)  # noqa: B023  # as of then
                    )

        self.ended += 1

    async def drain(self) -> None:
        """Say on all streams that no more should be asked."""
        for context in self._contexts:
            await context.write(pb.StreamAnswersResponse(requests_read=1, draining=True))

    async def _answer(
        self, questions: Sequence[pb.Question], read: Callable[[], int], context: Any
    ) -> None:
        await asyncio.sleep(self.seconds)
        answers = [self._answer_to(question) for question in questions]
        with suppress(grpc.aio.InternalError):  # killed meanwhile
            await context.write(pb.StreamAnswersResponse(answers=answers, requests_read=read()))

    async def _answer_in_pieces(
        self, questions: Sequence[pb.Question], read: int, context: Any
    ) -> None:
        for question in questions:
            await asyncio.sleep(self.seconds_per_piece)
            piece = [self._answer_to(question)]
            await context.write(pb.StreamAnswersResponse(answers=piece, requests_read=read - 1))
        await context.write(pb.StreamAnswersResponse(requests_read=read))

    def _answer_to(self, question: pb.Question) -> pb.RenderedAnswer:
        if self.failures or self.without_model:
            no_model = NoModel("no model yet: run `recsys nightly`")
            failure = self.failures.pop(0) if self.failures else no_model
            code, details, _ = status_of(failure)
            return pb.RenderedAnswer(
                number=question.number,
                error_code=code.value[0],
                error_details=details,
                no_model=isinstance(failure, NoModel),
            )
        return pb.RenderedAnswer(number=question.number, json=ANSWER_JSON, source=pb.SOURCE_FOLD_IN)


class _OneWriter:
    """A stream that several tasks write to: gRPC takes one message after the other."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._writing = asyncio.Lock()
        self.read = context.read

    async def write(self, message: pb.StreamAnswersResponse) -> None:
        async with self._writing:
            await self._context.write(message)


class FlakyInteractions(MemoryInteractionStore):
    """HBase that can be away."""

    away = False

    def append(self, *call: Any) -> list[AppendResult]:
        if self.away:
            raise Unavailable("hbase", "away", retry_after_seconds=2.5)
        return super().append(*call)


class Ingest:
    """The real ingest service over memory."""

    def __init__(self) -> None:
        self.interactions = FlakyInteractions()
        self.live = MemoryLiveCatalogue()
        items, recent = MemoryItemStore(), MemoryRecentBehaviour(lambda _: EVENT_TYPES)
        published = MemoryPublishedModels()
        cold_start = ColdStart(
            published,
            MemoryEarlyPopularity(),
            recent,
            items,
            self.live,
            lambda _: EVENT_TYPES,
        )
        ids = itertools.count()
        recorder = EventRecorder(
            self.interactions,
            recent,
            cold_start,
            MemoryPurchaseLog(),
            lambda _: EVENT_TYPES,
            clock=lambda: NOW_MS,
            new_event_id=lambda: f"made-{next(ids)}",
        )
        users = Users(MemoryUserStore(), lambda: NOW_MS)
        merger = UserMerger(self.interactions, recent, users, lambda _: EVENT_TYPES, lambda: NOW_MS)
        catalogue = Catalogue(items, self.live, now_ms=lambda: NOW_MS)
        eraser = UserEraser(self.interactions, recent, published, users, lambda: NOW_MS)
        self.reports = MemoryReports()
        self.servicer = IngestServicer(
            recorder, catalogue, cold_start, merger, eraser, self.reports, users
        )


async def start_recommender(
    servicer: ScriptedRecommender, address: Address = LOOPBACK
) -> tuple[AsyncServer, Address]:
    server = AsyncServer(RECOMMENDER, 100, new_metrics().requests, reflection=False)
    add_RecommenderServiceServicer_to_server(servicer, server.grpc)
    port = await server.start(address)
    await server.set_serving(True)
    return server, Address(address.host, port)


def target_of(*addresses: Address) -> str:
    return "ipv4:" + ",".join(map(str, addresses))


def start_ingest(servicer: IngestServicer) -> tuple[ThreadServer, str]:
    server = ThreadServer(INGEST, 2, new_metrics().requests, reflection=False)
    add_IngestServiceServicer_to_server(servicer, server.grpc)
    port = server.start(LOOPBACK)
    server.set_serving(True)
    return server, f"ipv4:127.0.0.1:{port}"
