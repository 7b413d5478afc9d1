"""A Redis that is far away, or has too much to do: a proxy before one that is quick."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import closing

from tests.integration.listening import listening


class SlowProxy:
    """Passes everything on, in order, some time later.

    Attributes:
        delay_seconds: how much later a reply arrives; as many as there are may be on their way.
        seconds_per_shopper: how long the server is busy with each shopper that is read, one after
            the other.
        url: where it listens.
    """

    def __init__(self, url: str) -> None:
        self.delay_seconds = 0.0
        self.seconds_per_shopper = 0.0
        self._busy_until = 0.0
        self._target = ("127.0.0.1", int(url.rpartition(":")[2].partition("/")[0]))
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> "SlowProxy":
        self._thread.start()
        assert self._ready.wait(timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(timeout=10)

    async def _serve(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        async with listening(self._connect) as port:
            self.url = f"redis://127.0.0.1:{port}/0"
            self._ready.set()
            await self._done.wait()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(*self._target)
        with closing(to_server):
            async with asyncio.TaskGroup() as passing:
                passing.create_task(_pass_on(reader, to_server, self._when_served))
                passing.create_task(_pass_on(from_server, writer, self._when_back))

    def _when_served(self, commands: bytes) -> float:
        busy_from = max(time.monotonic(), self._busy_until)
        self._busy_until = busy_from + commands.count(b"ZRANGE") * self.seconds_per_shopper
        return self._busy_until

    def _when_back(self, replies: bytes) -> float:
        return time.monotonic() + self.delay_seconds


_Piece = tuple[float, bytes]


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, due: Callable[[bytes], float]
) -> None:
    """Each piece when it is due, and never before those that came earlier."""
    pieces: asyncio.Queue[_Piece | None] = asyncio.Queue()
    async with asyncio.TaskGroup() as both:
        both.create_task(_send(pieces, writer))
        while data := await reader.read(65536):
            pieces.put_nowait((due(data), data))
        pieces.put_nowait(None)


async def _send(pieces: "asyncio.Queue[_Piece | None]", writer: asyncio.StreamWriter) -> None:
    while piece := await pieces.get():
        due, data = piece
        if (wait_seconds := due - time.monotonic()) > 0:
            await asyncio.sleep(wait_seconds)
        writer.write(data)
    writer.close()
