"""Servers and channels together: errors, health, balancing, draining."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from recsys.config.address import Address
from recsys.core.errors import (
    ConfigurationError,
    FieldProblem,
    InvalidInput,
    NotFound,
    NotSetUp,
    Unavailable,
)
from recsys.runtime.grpc.async_server import AsyncServer
from recsys.runtime.grpc.channel import open_channel
from recsys.runtime.grpc.errors import (
    encode_problems,
    problems_of,
    retry_after_seconds_of,
    trailing_metadata,
)
from recsys.runtime.grpc.thread_server import MAX_WAIT_SECONDS, ThreadServer
from recsys.runtime.metrics import Metrics, RequestMetrics, new_metrics

LOOPBACK = Address("127.0.0.1", 0)
SERVICE = "test.Service"
METHOD = f"/{SERVICE}/Ask"


class Handler(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """One method that does what the test says.

    Attributes:
        calls: how many have arrived.
    """

    def __init__(self, behaviour: Callable[..., Any]) -> None:
        self._behaviour = behaviour
        self.calls = 0

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        self.calls += 1
        return grpc.unary_unary_rpc_method_handler(self._behaviour)


def a_thread_server(
    behaviour: Callable[[], bytes], requests: RequestMetrics | None = None
) -> ThreadServer:
    server = ThreadServer(SERVICE, 2, requests or new_metrics().requests, reflection=True)
    server.grpc.add_generic_rpc_handlers((Handler(lambda *_: behaviour()),))
    return server


def fail(error: Exception) -> Callable[[], bytes]:
    def behaviour() -> bytes:
        raise error

    return behaviour


async def ask(target: str, timeout: float = 5.0) -> bytes:
    async with open_channel(target, SERVICE) as channel:
        answer: bytes = await channel.unary_unary(METHOD)(b"", timeout=timeout)
        return answer


@pytest.fixture
def metrics() -> Metrics:
    return new_metrics()


@pytest.fixture(params=["threads", "event loop"])
def failure(request: pytest.FixtureRequest, metrics: Metrics) -> Callable[[Exception], Any]:
    """Call a method that raises, on both kinds of server."""

    async def on_threads(error: Exception) -> Any:
        server = a_thread_server(fail(error), metrics.requests)
        port = server.start(LOOPBACK)
        server.set_serving(True)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(f"ipv4:127.0.0.1:{port}")
        await asyncio.to_thread(server.stop, 1)
        return caught.value

    async def on_loop(error: Exception) -> Any:
        async def behaviour(*_: object) -> bytes:
            raise error

        server = AsyncServer(SERVICE, 10, metrics.requests, reflection=True)
        server.grpc.add_generic_rpc_handlers((Handler(behaviour),))
        port = await server.start(LOOPBACK)
        await server.set_serving(True)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(f"ipv4:127.0.0.1:{port}")
        await server.stop(1)
        return caught.value

    run = on_threads if request.param == "threads" else on_loop
    return lambda error: asyncio.run(run(error))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("no item"), grpc.StatusCode.NOT_FOUND),
        (Unavailable("hbase", "away"), grpc.StatusCode.UNAVAILABLE),
        (NotSetUp("run this"), grpc.StatusCode.FAILED_PRECONDITION),
        (ConfigurationError("secret"), grpc.StatusCode.FAILED_PRECONDITION),
        (ZeroDivisionError("secret"), grpc.StatusCode.INTERNAL),
    ],
)
def test_an_error_arrives_as_its_status_and_does_not_leak(
    failure: Callable[[Exception], Any], error: Exception, code: grpc.StatusCode
) -> None:
    with capture_logs() as lines:
        seen = failure(error)
    assert seen.code() is code
    assert "secret" not in seen.details()
    assert [line["code"] for line in lines if "code" in line] == [code.name]


def test_the_fields_at_fault_arrive(failure: Callable[[Exception], Any]) -> None:
    problems = [FieldProblem("user_id", "is odd"), FieldProblem("attributes.größe", "„x“")]
    seen = failure(InvalidInput(problems))
    assert seen.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert problems_of(trailing_metadata(seen)) == problems


def test_when_to_come_again_arrives(failure: Callable[[Exception], Any]) -> None:
    seen = failure(Unavailable("hbase", "away", 2.5))
    assert retry_after_seconds_of(trailing_metadata(seen)) == 2.5


def test_a_failed_call_is_counted_and_timed_by_its_status(
    failure: Callable[[Exception], Any], metrics: Metrics
) -> None:
    failure(Unavailable("hbase", "away"))
    value = metrics.registry.get_sample_value
    assert value("recsys_requests_total", {"route": "Ask", "status": "UNAVAILABLE"}) == 1
    assert value("recsys_request_seconds_count", {"route": "Ask"}) == 1
    assert value("recsys_in_flight") == 0


def test_a_call_that_waited_too_long_for_a_thread_is_refused_instead_of_begun(
    metrics: Metrics,
) -> None:
    async def run() -> tuple[int, list[grpc.StatusCode]]:
        begun, release = [], threading.Event()

        def behaviour() -> bytes:
            begun.append(1)
            release.wait(10)
            return b""

        server = ThreadServer(SERVICE, 2, metrics.requests, reflection=True)
        handler = Handler(lambda *_: behaviour())
        server.grpc.add_generic_rpc_handlers((handler,))
        port = server.start(LOOPBACK)
        server.set_serving(True)
        calls = [asyncio.ensure_future(ask(f"ipv4:127.0.0.1:{port}")) for _ in range(5)]
        while handler.calls < len(calls):
            await asyncio.sleep(0.01)
        await asyncio.sleep(MAX_WAIT_SECONDS)
        release.set()
        results = await asyncio.gather(*calls, return_exceptions=True)
        await asyncio.to_thread(server.stop, 1)
        refused = [one.code() for one in results if isinstance(one, grpc.aio.AioRpcError)]
        return len(begun), refused

    # There are two threads.
    assert asyncio.run(run()) == (2, [grpc.StatusCode.UNAVAILABLE] * 3)
    seconds = metrics.registry.get_sample_value("recsys_request_seconds_sum", {"route": "Ask"})
    assert seconds is not None
    assert seconds > 5 * MAX_WAIT_SECONDS


def test_a_call_whose_caller_gave_up_is_counted(metrics: Metrics) -> None:
    async def run() -> None:
        server = AsyncServer(SERVICE, 10, metrics.requests, reflection=True)
        server.grpc.add_generic_rpc_handlers((Handler(lambda *_: asyncio.sleep(60)),))
        port = await server.start(LOOPBACK)
        await server.set_serving(True)
        with pytest.raises(grpc.aio.AioRpcError):
            await ask(f"ipv4:127.0.0.1:{port}", timeout=0.3)
        await server.stop(1)

    asyncio.run(run())
    value = metrics.registry.get_sample_value
    assert value("recsys_requests_total", {"route": "Ask", "status": "CANCELLED"}) == 1
    assert value("recsys_in_flight") == 0


def test_problems_never_outgrow_what_metadata_may_hold() -> None:
    encoded = encode_problems(FieldProblem("ü" * 5000, "x" * 100) for _ in range(1000))
    assert len(encoded) < 7000
    assert json.loads(encoded)


def test_calls_go_to_the_replicas_that_serve() -> None:
    async def run() -> set[bytes]:
        one, two, ill = (
            a_thread_server(lambda: b"1"),
            a_thread_server(lambda: b"2"),
            a_thread_server(lambda: b"ill"),
        )
        ports = [server.start(LOOPBACK) for server in (one, two, ill)]
        one.set_serving(True)
        two.set_serving(True)
        target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
        async with open_channel(target, SERVICE) as channel:
            method = channel.unary_unary(METHOD)
            await method(b"", timeout=5)
            await asyncio.sleep(0.1)
            both = {await method(b"", timeout=5) for _ in range(20)}
            await asyncio.to_thread(two.stop, 1)
            assert {await method(b"", timeout=5) for _ in range(20)} == {b"1"}
        for server in (one, ill):
            await asyncio.to_thread(server.stop, 1)
        return both

    assert asyncio.run(run()) == {b"1", b"2"}


def test_no_serving_replica_fails_at_once() -> None:
    async def run() -> float:
        server = a_thread_server(lambda: b"")
        port = server.start(LOOPBACK)
        started = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(f"ipv4:127.0.0.1:{port}")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        await asyncio.to_thread(server.stop, 1)
        return time.monotonic() - started

    assert asyncio.run(run()) < 2


def test_a_call_under_way_is_finished_before_the_server_stops() -> None:
    async def run() -> bytes:
        begun, release = threading.Event(), threading.Event()

        def behaviour() -> bytes:
            begun.set()
            release.wait(5)
            return b"done"

        server = a_thread_server(behaviour)
        port = server.start(LOOPBACK)
        server.set_serving(True)
        call = asyncio.ensure_future(ask(f"ipv4:127.0.0.1:{port}"))
        with ThreadPoolExecutor() as threads:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(threads, begun.wait, 5)
            stopping = loop.run_in_executor(threads, server.stop, 5)
            await asyncio.sleep(0.05)
            assert not stopping.done()
            release.set()
            answer = await call
            await stopping
        return answer

    assert asyncio.run(run()) == b"done"


def test_a_taken_port_is_named() -> None:
    first, second = a_thread_server(lambda: b""), a_thread_server(lambda: b"")
    port = first.start(LOOPBACK)
    with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}"):
        second.start(Address("127.0.0.1", port))
    first.stop(0)


def test_watchers_that_leave_while_the_state_is_told_do_not_stop_the_server() -> None:
    server = a_thread_server(lambda: b"ok")
    port = server.start(LOOPBACK)
    told = threading.Event()

    def tell() -> None:
        while not told.is_set():
            server.set_serving(True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    asked = health_pb2.HealthCheckRequest(service=SERVICE)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        # The state is being sent to this one when another leaves.
        stays = health.Watch(asked)
        next(stays)
        for _ in range(200):
            watch = health.Watch(asked, timeout=5)
            next(watch)
            watch.cancel()
        answer = channel.unary_unary(METHOD)(b"", timeout=5)

    told.set()
    teller.join(5)
    server.stop(1)
    assert answer == b"ok"
