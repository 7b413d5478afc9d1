"""uvicorn's HTTP/1.1: one write a response, and its own refusals in the form of our problems.

uvicorn writes head and body apart, and each write is a system call. So is each read on the other
side: joining the two saves the load balancer as much as the gateway.
"""

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.gateway.http.request_context import HEADER, request_id_of
from services.gateway.schemas.problems import BAD_REQUEST, ProblemError, problem_response

_END_OF_HEAD = b"\r\n\r\n"


class GatewayProtocol(HttpToolsProtocol):
    """Speak HTTP/1.1 and nothing else, over a transport that keeps a head until its body comes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        joining = _CoalescingTransport(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, joining))

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP. Of a head that cannot be read, no path is known."""
        request_id = request_id_of("")
        problem = ProblemError(
            BAD_REQUEST, msg, headers={HEADER: request_id, "Connection": "close"}
        )
        answer = problem_response(problem, instance="", request_id=request_id)
        status = HTTPStatus(answer.status_code)
        head = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        head += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: HTTP lets a server ignore an upgrade (RFC 9110, 7.8)."""


class _CoalescingTransport:
    """A transport that differs in `write` and `close` only."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.endswith(_END_OF_HEAD):
            self._head = data
            # Not every head has a body, and not every body is there already.
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)
