"""What stands behind the gateway in these tests: real gRPC servers over stores in memory."""

import asyncio
import itertools
from typing import Any

from recsys.core.errors import Unavailable
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.ingest_pb2_grpc import add_IngestServiceServicer_to_server
from recsys.rpc.v1.recommender_pb2_grpc import (
    RecommenderServiceServicer,
    add_RecommenderServiceServicer_to_server,
)
from recsys.runtime.grpc_async_server import AsyncServer
from recsys.runtime.grpc_thread_server import ThreadServer
from recsys.runtime.metrics import new_metrics
from recsys.runtime.settings import Address
from recsys.stores.memory.hidden_items import MemoryHiddenItems
from recsys.stores.memory.interactions import MemoryInteractionStore
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.memory.recent import MemoryRecentBehaviour
from services.gateway.backends import INGEST, RECOMMENDER
from services.ingest.catalogue import Catalogue
from services.ingest.record_events import EventRecorder
from services.ingest.servicer import IngestServicer
from tests.builders import EVENT_TYPES

LOOPBACK = Address("127.0.0.1", 0)
NOW_MS = 1_700_000_000_000

ANSWER = pb.Answer(
    items=[
        pb.ScoredItem(item_id="lamp", title="A lamp", score=0.5),
        pb.ScoredItem(item_id="filler"),
    ],
    source=pb.SOURCE_FOLD_IN,
    model_version="v1",
)


class ScriptedRecommender(RecommenderServiceServicer):
    """Remembers what it was asked; answers ANSWER, or fails as told."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.asked: list[Any] = []
        self.request_ids: list[str] = []
        self.failures: list[Exception] = []
        self.seconds = 0.0

    async def RecommendForUser(  # noqa: N802
        self, request: pb.RecommendForUserRequest, context: Any
    ) -> pb.RecommendForUserResponse:
        return pb.RecommendForUserResponse(answer=await self._answer(request, context))

    async def SimilarItems(  # noqa: N802
        self, request: pb.SimilarItemsRequest, context: Any
    ) -> pb.SimilarItemsResponse:
        return pb.SimilarItemsResponse(answer=await self._answer(request, context))

    async def _answer(self, request: Any, context: Any) -> pb.Answer:
        self.asked.append(request)
        self.request_ids.append(dict(context.invocation_metadata())["x-request-id"])
        await asyncio.sleep(self.seconds)
        if self.failures:
            raise self.failures.pop(0)
        return ANSWER


class FlakyInteractions(MemoryInteractionStore):
    """HBase that can be away."""

    away = False

    def append(self, tenant: str, events: Any) -> list[bool]:
        if self.away:
            raise Unavailable("hbase", "away", retry_after_seconds=2.5)
        return super().append(tenant, events)


class Ingest:
    """The real ingest service over memory."""

    def __init__(self) -> None:
        self.interactions = FlakyInteractions()
        self.hidden = MemoryHiddenItems()
        ids = itertools.count()
        recorder = EventRecorder(
            self.interactions,
            MemoryRecentBehaviour(),
            EVENT_TYPES,
            clock=lambda: NOW_MS,
            new_event_id=lambda: f"made-{next(ids)}",
        )
        self.servicer = IngestServicer(recorder, Catalogue(MemoryItemStore(), self.hidden))


async def start_recommender(servicer: ScriptedRecommender) -> tuple[AsyncServer, str]:
    server = AsyncServer(RECOMMENDER, 100, new_metrics().requests, reflection=False)
    add_RecommenderServiceServicer_to_server(servicer, server.grpc)
    port = await server.start(LOOPBACK)
    await server.set_serving(True)
    return server, f"ipv4:127.0.0.1:{port}"


def start_ingest(servicer: IngestServicer) -> tuple[ThreadServer, str]:
    server = ThreadServer(INGEST, 2, new_metrics().requests, reflection=False)
    add_IngestServiceServicer_to_server(servicer, server.grpc)
    port = server.start(LOOPBACK)
    server.set_serving(True)
    return server, f"ipv4:127.0.0.1:{port}"
