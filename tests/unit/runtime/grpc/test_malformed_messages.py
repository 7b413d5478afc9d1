"""Bytes that are no message, and texts that are no header, on both kinds of server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from recsys.config.address import Address
from recsys.core.errors import FieldProblem, InvalidInput, NotFound, Unavailable
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.runtime.grpc.async_server import AsyncServer
from recsys.runtime.grpc.errors import problems_of, trailing_metadata
from recsys.runtime.grpc.thread_server import ThreadServer
from recsys.runtime.metrics import Metrics, new_metrics

LOOPBACK = Address("127.0.0.1", 0)
SERVICE = "test.Service"
ASK = f"/{SERVICE}/Ask"
HEALTH = "/grpc.health.v1.Health"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
NOT_PROTOBUF = b"\xff\xff\xff"
# A user id that is not UTF-8.
NOT_UTF_8 = b"\x12\x02\xff\xfe"

Call = Callable[[grpc.aio.Channel], Awaitable[Any]]


def unary(method: str, request: bytes) -> Call:
    return lambda channel: channel.unary_unary(method)(request, timeout=5)


def watching(method: str, request: bytes) -> Call:
    return lambda channel: channel.unary_stream(method)(request, timeout=5).read()


def streaming(method: str, request: bytes) -> Call:
    return lambda channel: channel.stream_stream(method)(iter([request]), timeout=5).read()


def handler_of(behaviour: Callable[..., Any]) -> grpc.GenericRpcHandler:  # type: ignore[type-arg]
    ask = grpc.unary_unary_rpc_method_handler(
        behaviour,
        request_deserializer=pb.RecommendForUserRequest.FromString,
        response_serializer=pb.RecommendForUserResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(SERVICE, {"Ask": ask})


@pytest.fixture
def metrics() -> Metrics:
    return new_metrics()


@pytest.fixture(params=["threads", "event loop"])
def failure(request: pytest.FixtureRequest, metrics: Metrics) -> Callable[..., Any]:
    """The error a caller sees, on both kinds of server; methods raise what they are told."""

    async def on_threads(call: Call, error: Exception | None) -> Any:
        def behaviour(*_: object) -> pb.RecommendForUserResponse:
            if error:
                raise error
            return pb.RecommendForUserResponse()

        server = ThreadServer(SERVICE, 2, metrics.requests, reflection=True)
        server.grpc.add_generic_rpc_handlers((handler_of(behaviour),))
        port = server.start(LOOPBACK)
        try:
            return await error_of(call, port)
        finally:
            await asyncio.to_thread(server.stop, 1)

    async def on_loop(call: Call, error: Exception | None) -> Any:
        async def behaviour(*_: object) -> pb.RecommendForUserResponse:
            if error:
                raise error
            return pb.RecommendForUserResponse()

        server = AsyncServer(SERVICE, 10, metrics.requests, reflection=True)
        server.grpc.add_generic_rpc_handlers((handler_of(behaviour),))
        port = await server.start(LOOPBACK)
        try:
            return await error_of(call, port)
        finally:
            await server.stop(1)

    run = on_threads if request.param == "threads" else on_loop
    return lambda call, error=None: asyncio.run(run(call, error))


async def error_of(call: Call, port: int) -> grpc.aio.AioRpcError:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel)
        return caught.value


@contextmanager
def one_refusal() -> Iterator[None]:
    """The log has one line that says so, and no trace of an error."""
    with capture_logs() as lines:
        yield
    assert [line["code"] for line in lines if line["event"] == "rpc_refused"] == [
        "INVALID_ARGUMENT"
    ]
    assert not [line for line in lines if line["log_level"] == "error"]


@pytest.mark.parametrize("request_bytes", [NOT_PROTOBUF, NOT_UTF_8])
def test_bytes_that_are_no_message_are_an_invalid_argument(
    failure: Callable[..., Any], metrics: Metrics, request_bytes: bytes
) -> None:
    with one_refusal():
        seen = failure(unary(ASK, request_bytes))
    assert seen.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert seen.details() == "the request is not a valid RecommendForUserRequest"
    value = metrics.registry.get_sample_value
    assert value("recsys_requests_total", {"route": "Ask", "status": "INVALID_ARGUMENT"}) == 1
    assert value("recsys_in_flight") == 0


@pytest.mark.parametrize(
    ("call", "route", "message"),
    [
        (unary(f"{HEALTH}/Check", NOT_PROTOBUF), "Check", "HealthCheckRequest"),
        (watching(f"{HEALTH}/Watch", NOT_PROTOBUF), "Watch", "HealthCheckRequest"),
        (streaming(REFLECTION, NOT_PROTOBUF), "ServerReflectionInfo", "ServerReflectionRequest"),
    ],
)
def test_also_where_the_method_is_not_ours(
    failure: Callable[..., Any], metrics: Metrics, call: Call, route: str, message: str
) -> None:
    with one_refusal():
        seen = failure(call)
    assert seen.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert seen.details() == f"the request is not a valid {message}"
    labels = {"route": route, "status": "INVALID_ARGUMENT"}
    assert metrics.registry.get_sample_value("recsys_requests_total", labels) == 1


def test_a_method_of_others_still_fails_in_its_own_words(failure: Callable[..., Any]) -> None:
    seen = failure(unary(f"{HEALTH}/Check", b"\x0a\x04none"))
    assert seen.code() is grpc.StatusCode.NOT_FOUND


def test_a_text_that_grows_as_a_header_still_arrives_with_its_fields(
    failure: Callable[..., Any],
) -> None:
    problems = [FieldProblem("attributes." + 100 * "🎈", "must not be empty")] * 20
    seen = failure(unary(ASK, b""), InvalidInput(problems))
    assert seen.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert seen.details().startswith("attributes.🎈")
    assert problems_of(trailing_metadata(seen))[0].reason == "must not be empty"


def test_a_name_of_any_length_that_is_not_known_is_still_not_found(
    failure: Callable[..., Any],
) -> None:
    seen = failure(unary(ASK, b""), NotFound(f"tenant {100_000 * '🎈'} is not served here"))
    assert seen.code() is grpc.StatusCode.NOT_FOUND
    assert seen.details().startswith("tenant 🎈")


def test_the_words_of_a_library_stay_in_our_logs(failure: Callable[..., Any]) -> None:
    error = Unavailable("redis", "Error 111 connecting to 10.0.0.7:6379")
    error.__cause__ = ConnectionError("refused")
    with capture_logs() as lines:
        seen = failure(unary(ASK, b""), error)
    assert seen.details() == "redis is unavailable"
    assert [line["reason"] for line in lines if line["event"] == "rpc_failed"] == [str(error)]
