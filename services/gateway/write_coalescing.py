"""One write a response: uvicorn writes head and body apart, and each write is a system call.

So is each read on the other side: joining the two saves the load balancer as much as the gateway.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_END_OF_HEAD = b"\r\n\r\n"


class CoalescingProtocol(HttpToolsProtocol):
    """uvicorn's protocol over a transport that keeps a head until its body comes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        joining = _CoalescingTransport(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, joining))


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
