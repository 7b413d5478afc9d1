"""A gateway that only speaks HTTP/1.1, and answers when it is let."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.integration.listening import listening

BODY = b'{"items": [' + b",".join([b'"22423"'] * 100) + b"]}"


@dataclass
class StubGateway:
    """Takes every path and method.

    Attributes:
        seconds: what each answer takes.
        answered, waiting: requests but for health checks; `waiting` counts from their arrival.
        reads_go_on: GETs wait while it is not set.
    """

    seconds: float = 0.0
    answered: int = 0
    waiting: int = 0
    reads_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.reads_go_on.set()

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        async with listening(self._converse, port):
            yield

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await _head(reader)
            writer.write(await self._answer(*head.split(b" ")[:2]))

    async def _answer(self, method: bytes, path: bytes) -> bytes:
        if path != b"/readyz":
            self.waiting += 1
            if method == b"GET":
                await self.reads_go_on.wait()
            await asyncio.sleep(self.seconds)
            self.answered += 1
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(BODY), BODY)
        )


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Everything before the body, which is read too."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            await reader.readexactly(int(value))
    return head
