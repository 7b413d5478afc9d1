"""Connections to HBase's Thrift server, shared safely between threads."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
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
        size: calls that may be under way at once, each on a connection of its own.
        connect_timeout_seconds: for opening one.
        call_timeout_seconds: for any one read or write on the socket during a call, and for all of
            a call on several.
        wait_timeout_seconds: for a connection to become free.
        max_idle_seconds: an older idle connection is closed; keep it below the server's own limit.
        extra: further connections, of all callers together, for calls that use several.
    """

    size: int = 8
    connect_timeout_seconds: float = 2.0
    call_timeout_seconds: float = 10.0
    wait_timeout_seconds: float = 5.0
    max_idle_seconds: float = 30.0
    extra: int = 7


# Of a task: one connection, on which a page of 5000 rows may wait for a busy region server.
TASK_POOL = PoolSettings(size=1, call_timeout_seconds=60)


class HBasePool:
    """A bounded pool that survives idle closes and server restarts.

    A connection belongs to one call at a time. After any exception it is thrown away, since an
    answer may still be on its way in it.
    """

    def __init__(self, address: str, settings: PoolSettings | None = None) -> None:
        """Take "HOST:PORT" of a Thrift server; nothing is opened before the first call.

        Raises:
            ConfigurationError: when the address makes no sense.
        """
        self._address = thrift_address(address)
        self._settings = settings or PoolSettings()
        self._free = BoundedSemaphore(self._settings.size)
        self._extra = BoundedSemaphore(self._settings.extra)
        self._idle: deque[tuple[float, happybase.Connection]] = deque()
        self._lock = Lock()

    def call(self, work: Callable[[Any], _Result]) -> _Result:
        """Run `work(thrift client)`; once more on a fresh connection if the first one broke.

        `work` must be idempotent: the server may have done it before the connection broke.

        Raises:
            Unavailable: no connection became free, or the server does not answer or cannot.
            ConfigurationError: the table does not exist.
        """
        return self.call_on_several(lambda connections: work(connections[0].client), 1)

    def call_on_several(
        self, work: Callable[[Sequence[happybase.Connection]], _Result], most: int
    ) -> _Result:
        """Run `work(connections)` on up to `most`, on one at least; see `call`."""
        with self._slots(most) as count, translated():
            connections = _take(count, lambda: self._take_idle() or self._open())
            try:
                return self._run(connections, work)
            except _BROKEN:
                # What broke these connections, a restart most likely, broke the idle ones too.
                self.close()
                return self._run(_take(count, self._open), work)

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
        _close(connection for _, connection in idle)

    @contextmanager
    def _slots(self, most: int) -> Iterator[int]:
        """Hold a call's places: its own, and of the extra ones those that nobody else has now."""
        settings = self._settings
        if not self._free.acquire(timeout=settings.wait_timeout_seconds):
            raise Unavailable("hbase", f"all {settings.size} connections are busy")
        count = 1
        try:
            while count < most and self._extra.acquire(blocking=False):
                count += 1
            yield count
        finally:
            for _ in range(count - 1):
                self._extra.release()
            self._free.release()

    def _run(
        self,
        connections: Sequence[happybase.Connection],
        work: Callable[[Sequence[happybase.Connection]], _Result],
    ) -> _Result:
        try:
            result = work(connections)
        except BaseException:
            _close(connections)
            raise
        with self._lock:
            self._idle.extend((time.monotonic(), connection) for connection in connections)
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


def _take(count: int, one: Callable[[], happybase.Connection]) -> list[happybase.Connection]:
    taken: list[happybase.Connection] = []
    try:
        while len(taken) < count:
            taken.append(one())
    except BaseException:
        _close(taken)
        raise
    return taken


def _close(connections: Iterable[happybase.Connection]) -> None:
    for connection in connections:
        connection.close()
