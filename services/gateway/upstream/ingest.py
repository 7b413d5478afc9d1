"""The services behind the gateway: one method a question, errors as problems."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import grpc
import structlog

from recsys.auth.rpc_access import SERVICE_TOKEN_KEY
from recsys.core.recording import EventDraft, Recorded
from recsys.rpc.convert import from_draft, to_recorded
from recsys.rpc.v1 import ingest_pb2
from recsys.rpc.v1.ingest_pb2_grpc import IngestServiceStub
from recsys.runtime.deadline import Deadline
from recsys.runtime.grpc.guard import REQUEST_ID_KEY
from services.gateway.http.request_context import request_id_of
from services.gateway.upstream.event_batches import MAX_EVENTS_OF_A_SMALL_BATCH, EventBatches
from services.gateway.upstream.rpc_problems import problem_of, problem_of_status

INGEST = "recsys.rpc.v1.IngestService"
# With less left a second attempt would only be late.
_MIN_FOR_RETRY_SECONDS = 0.05

# Shops without a model must not take the threads that other shops' events need: 16 by default.
_COLD_STARTS_AT_ONCE = 4

_log = structlog.get_logger()
_Request = TypeVar("_Request", contravariant=True)
_Answer = TypeVar("_Answer", covariant=True)


class _Method(Protocol[_Request, _Answer]):
    def __call__(
        self, request: _Request, *, timeout: float | None, metadata: Any
    ) -> Awaitable[_Answer]: ...


@dataclass(frozen=True, slots=True)
class CallContext:
    """Deadline and id that go with every call of one request."""

    deadline: Deadline
    request_id: str


class ServiceClient:
    """One service behind a channel.

    Args:
        service_token: what it knows a gateway by.
    """

    name: str

    def __init__(self, channel: "grpc.aio.Channel", service_token: str = "") -> None:
        self._channel, self._service_token = channel, service_token
        # Connect now, not with the first request.
        self.is_ready()

    def is_ready(self) -> bool:
        """Tell whether a replica said by its health check that it serves."""
        state = self._channel.get_state(try_to_connect=True)
        return state is grpc.ChannelConnectivity.READY

    def state(self) -> str:
        """Describe the state in a word, for people."""
        return "ready" if self.is_ready() else "unavailable"

    async def _ask(
        self,
        method: _Method[_Request, _Answer],
        request: _Request,
        call: CallContext,
        *,
        attempts: int,
    ) -> _Answer:
        """Ask within the request's deadline; a question that changes nothing may be asked again."""
        metadata = (
            (REQUEST_ID_KEY, call.request_id),
            (SERVICE_TOKEN_KEY, self._service_token),
        )
        try:
            return await method(request, timeout=call.deadline.timeout(), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            if _worth_retrying(error, call.deadline, attempts):
                return await self._ask(method, request, call, attempts=attempts - 1)
            _log.info("backend_refused", backend=self.name, code=error.code().name)
            raise problem_of(error, self.name) from error


class Ingest(ServiceClient):
    """Writes are asked once: the caller knows whether its events carry ids."""

    name = "ingest"

    def __init__(self, channel: "grpc.aio.Channel", service_token: str = "") -> None:
        super().__init__(channel, service_token)
        self._stub = IngestServiceStub(channel)
        self._cold_starts = asyncio.Semaphore(_COLD_STARTS_AT_ONCE)
        self._small_batches = EventBatches(self._record_batches)

    async def record(
        self, tenant: str, drafts: Sequence[EventDraft], call: CallContext
    ) -> Recorded:
        request = ingest_pb2.RecordEventsRequest(tenant=tenant, events=map(from_draft, drafts))
        if len(drafts) > MAX_EVENTS_OF_A_SMALL_BATCH:
            return to_recorded(await self._ask(self._stub.RecordEvents, request, call, attempts=1))
        result = await self._small_batches.record(request, call.deadline)
        if result.HasField("failure"):
            failure = result.failure
            raise problem_of_status(failure.code, failure.details, self.name, failure.metadata)
        return to_recorded(result.recorded)

    async def _record_batches(
        self, request: ingest_pb2.RecordEventBatchesRequest, deadline: Deadline
    ) -> Sequence[ingest_pb2.RecordedBatch]:
        # Of the many requests that share it, the call has an id of its own.
        call = CallContext(deadline, request_id_of(""))
        response = await self._ask(self._stub.RecordEventBatches, request, call, attempts=1)
        return response.batches

    async def merge_users(
        self, request: ingest_pb2.MergeUsersRequest, call: CallContext
    ) -> ingest_pb2.MergeUsersResponse:
        return await self._ask(self._stub.MergeUsers, request, call, attempts=2)

    async def erase_user(
        self, request: ingest_pb2.EraseUserRequest, call: CallContext
    ) -> ingest_pb2.EraseUserResponse:
        return await self._ask(self._stub.EraseUser, request, call, attempts=2)

    async def put_user(
        self, request: ingest_pb2.PutUserRequest, call: CallContext
    ) -> ingest_pb2.PutUserResponse:
        return await self._ask(self._stub.PutUser, request, call, attempts=2)

    async def get_user(
        self, request: ingest_pb2.GetUserRequest, call: CallContext
    ) -> ingest_pb2.GetUserResponse:
        return await self._ask(self._stub.GetUser, request, call, attempts=2)

    async def patch_user(
        self, request: ingest_pb2.PatchUserRequest, call: CallContext
    ) -> ingest_pb2.PatchUserResponse:
        return await self._ask(self._stub.PatchUser, request, call, attempts=2)

    async def put_items(
        self, request: ingest_pb2.PutItemsRequest, call: CallContext
    ) -> ingest_pb2.PutItemsResponse:
        return await self._ask(self._stub.PutItems, request, call, attempts=1)

    async def put_item(
        self, request: ingest_pb2.PutItemRequest, call: CallContext
    ) -> ingest_pb2.PutItemResponse:
        return await self._ask(self._stub.PutItem, request, call, attempts=1)

    async def get_item(
        self, request: ingest_pb2.GetItemRequest, call: CallContext
    ) -> ingest_pb2.GetItemResponse:
        return await self._ask(self._stub.GetItem, request, call, attempts=2)

    async def patch_item(
        self, request: ingest_pb2.PatchItemRequest, call: CallContext
    ) -> ingest_pb2.PatchItemResponse:
        return await self._ask(self._stub.PatchItem, request, call, attempts=1)

    async def delete_item(self, request: ingest_pb2.DeleteItemRequest, call: CallContext) -> None:
        await self._ask(self._stub.DeleteItem, request, call, attempts=1)

    async def cold_start_items(
        self, request: ingest_pb2.ColdStartItemsRequest, call: CallContext
    ) -> ingest_pb2.ColdStartItemsResponse:
        async with self._cold_starts:
            return await self._ask(self._stub.ColdStartItems, request, call, attempts=2)

    async def get_experiment_report(
        self, request: ingest_pb2.GetExperimentReportRequest, call: CallContext
    ) -> ingest_pb2.GetExperimentReportResponse:
        return await self._ask(self._stub.GetExperimentReport, request, call, attempts=2)


def _worth_retrying(error: grpc.aio.AioRpcError, deadline: Deadline, attempts: int) -> bool:
    return (
        attempts > 1
        and error.code() is grpc.StatusCode.UNAVAILABLE
        and deadline.remaining() > _MIN_FOR_RETRY_SECONDS
    )
