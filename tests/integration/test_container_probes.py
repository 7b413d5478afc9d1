"""Probes and addresses of containers, against real servers."""

import asyncio
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from infra.docker import healthcheck
from recsys.config.address import Address
from recsys.runtime.grpc.channel import open_channel
from recsys.runtime.grpc.thread_server import ThreadServer
from recsys.runtime.metrics import new_metrics

SERVICE = "test.Service"
METHOD = f"/{SERVICE}/Ask"


class Echo(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if handler_call_details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda request, _context: request)


@contextmanager
def grpc_server(*, serving: bool) -> Iterator[int]:
    server = ThreadServer(SERVICE, 2, new_metrics().requests, reflection=False)
    server.grpc.add_generic_rpc_handlers((Echo(),))
    port = server.start(Address("127.0.0.1", 0))
    server.set_serving(serving)
    try:
        yield port
    finally:
        server.stop(1)


@contextmanager
def http_server(status: int) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def exit_code(kind: str, port: int, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("RECSYS_LISTEN", f"0.0.0.0:{port}")
    monkeypatch.setattr("sys.argv", ["healthcheck.py", kind])
    with pytest.raises(SystemExit) as caught:
        healthcheck.main()
    return caught.value.code


@pytest.mark.parametrize(("serving", "code"), [(True, 0), (False, 1)])
def test_grpc_service_is_healthy_when_it_says_that_it_serves(
    serving: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with grpc_server(serving=serving) as port:
        assert exit_code("grpc", port, monkeypatch) == code


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_gateway_is_healthy_when_livez_is_ok(
    status: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_server(status) as port:
        assert exit_code("http", port, monkeypatch) == code


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_nothing_there_is_not_healthy(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_server(200) as port:
        pass
    assert exit_code(kind, port, monkeypatch) == 1


def test_a_dns_target_reaches_the_service() -> None:
    async def ask(port: int) -> bytes:
        async with open_channel(f"dns:///localhost:{port}", SERVICE) as channel:
            answer: bytes = await channel.unary_unary(METHOD, bytes, bytes)(b"hello", timeout=10)
            return answer

    with grpc_server(serving=True) as port:
        assert asyncio.run(ask(port)) == b"hello"
