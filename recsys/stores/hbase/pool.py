"""Connections to HBase's Thrift server, shared safely between threads."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Any, TypeVar

import happybase
from thriftpy2.transport import TTransportException

from recsys.core.errors import Unavailable
from recsys.stores.hbase.address import thrift_address
from recsys.stores.hbase.failures import translated

_Result = TypeVar("_Result")

# The connection itself broke, as it does when a server restarts or closes an idle socket. A timeout
# is not among them: repeating a call that took too long would double the wait.
_BROKEN = (TTransportException, ConnectionError, EOFError)


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Limits of the pool: connections, and how long each kind of waiting may last.

    Attributes:
        size: most connections open at once.
        connect_timeout_seconds: for opening one.
        call_timeout_seconds: for any one read or write on the socket during a call.
        wait_timeout_seconds: for a connection to become free.
        max_idle_seconds: an older idle connection is closed; keep it below the server's own limit.
        at_once: threads that share the work of `call_each`, of all callers together; with one the
            caller does it.
    """

    size: int = 8
    connect_timeout_seconds: float = 2.0
    call_timeout_seconds: float = 10.0
    wait_timeout_seconds: float = 5.0
    max_idle_seconds: float = 30.0
    at_once: int = 1


# Of a task: one connection, on which a page of 5000 rows may wait for a busy region server.
TASK_POOL = PoolSettings(size=1, call_timeout_seconds=60)


class HBasePool:
    """A bounded pool that survives idle closes and server restarts.

    A connection belongs to one thread during a call. After any exception it is thrown away, since
    an answer may still be on its way in it.
    """

    def __init__(self, address: str, settings: PoolSettings | None = None) -> None:
        """Take "HOST:PORT" of a Thrift server; nothing is opened before the first call.

        Raises:
            ConfigurationError: when the address makes no sense.
        """
        self._address = thrift_address(address)
        self._settings = settings or PoolSettings()
        at_once = self._settings.at_once
        self._free = BoundedSemaphore(self._settings.size)
        self._idle: deque[tuple[float, happybase.Connection]] = deque()
        self._lock = Lock()
        self._helpers = ThreadPoolExecutor(self._settings.at_once, "hbase") if at_once > 1 else None

    def call(self, work: Callable[[Any], _Result]) -> _Result:
        """Run `work(thrift client)`; once more on a fresh connection if the first one broke.

        `work` must be idempotent: the server may have done it before the connection broke.

        Raises:
            Unavailable: no connection became free, or the server does not answer or cannot.
            ConfigurationError: the table does not exist.
        """
        with self._slot(), translated():
            connection = self._take_idle() or self._open()
            try:
                return self._run(connection, work)
            except _BROKEN:
                # What broke this connection, a restart most likely, broke the idle ones too.
                self.close()
                return self._run(self._open(), work)

    def call_each(self, works: Sequence[Callable[[Any], _Result]]) -> list[_Result]:
        """Run calls that do not depend on each other, some at once; see `call`."""
        if self._helpers is None or len(works) == 1:
            return [self.call(work) for work in works]
        return list(self._helpers.map(self.call, works))

    def ping(self) -> None:
        """Ask the server for anything, to know that it answers.

        Raises:
            Unavailable: when it does not.
        """
        self.call(lambda client: client.getTableNames())

    def close(self) -> None:
        """Close the idle connections; the pool stays usable."""
        with self._lock:
            idle, self._idle = self._idle, deque()
        for _, connection in idle:
            connection.close()

    @contextmanager
    def _slot(self) -> Iterator[None]:
        settings = self._settings
        if not self._free.acquire(timeout=settings.wait_timeout_seconds):
            raise Unavailable("hbase", f"all {settings.size} connections are busy")
        try:
            yield
        finally:
            self._free.release()

    def _run(self, connection: happybase.Connection, work: Callable[[Any], _Result]) -> _Result:
        try:
            result = work(connection.client)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append((time.monotonic(), connection))
        return result

    def _take_idle(self) -> happybase.Connection | None:
        oldest = time.monotonic() - self._settings.max_idle_seconds
        with self._lock:
            while self._idle and self._idle[0][0] < oldest:
                self._idle.popleft()[1].close()
            # The one used last is the likeliest to be alive.
            return self._idle.pop()[1] if self._idle else None

    def _open(self) -> happybase.Connection:
        connection = happybase.Connection(
            self._address.host,
            self._address.port,
            timeout=self._settings.connect_timeout_seconds * 1000,
            transport="buffered",
            protocol="binary",
        )
        # happybase has one timeout for connecting and calling; these differ by their nature.
        connection.transport.sock.settimeout(self._settings.call_timeout_seconds)
        return connection
