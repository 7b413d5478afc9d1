"""One connection to Redis that all requests of a process share, for reads that must not wait.

Commands go out in a row and replies come back in a row, so a round trip costs the event loop one
write and one read, however many commands it carries. A server that hangs or is away costs those who
are waiting at that moment `timeout_seconds`, and nobody after them: until it has answered again to
a question of our own, every call is refused at once.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
import structlog
from redis.asyncio.connection import SSLConnection, parse_url

from recsys.core.errors import Unavailable
from recsys.stores.redis.connect import clear_url_error, reason

# With less a busy machine would look like a dead server; with more a user would notice.
TIMEOUT_SECONDS = 0.1
_RETRY_SECONDS = 0.1
# A connection on which nothing comes for this long is given up for a new one.
_HUNG_SECONDS = 2.0
# Messages may hold what changes with each try, an address or a time.
_KEPT_TROUBLES = 16
_NOTHING = object()

_log = structlog.get_logger()


class MultiplexedRedis:
    """Make it inside the running event loop.

    Raises:
        ConfigurationError: when `url` is not a Redis address.
    """

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        with clear_url_error():
            self._address: dict[str, Any] = dict(parse_url(url))
        self._timeout_seconds = timeout_seconds
        self._connection: _Connection | None = None
        self._is_available = False
        # Since Redis was available last, the newest at the end.
        self._troubles = deque[str](maxlen=_KEPT_TROUBLES)
        self._first_attempt = asyncio.Event()
        self._troubled = asyncio.Event()
        self._keeping = asyncio.create_task(self._keep_connected())

    @property
    def is_available(self) -> bool:
        """True while calls are let through: the breaker is closed."""
        return self._is_available

    async def execute(self, commands: bytes, replies: int) -> list[Any]:
        """Send commands in RESP and return their replies, errors among them as exceptions.

        Raises:
            Unavailable: when Redis is away, or does not answer in time.
        """
        if not self._first_attempt.is_set():
            await self._first_attempt.wait()
        if not self._is_available or self._connection is None:
            raise Unavailable("redis", (self._troubles or ["the connection was closed"])[-1])
        try:
            return await self._connection.ask(commands, replies, self._timeout_seconds)
        except (TimeoutError, ConnectionError) as error:
            self._break(type(error).__name__)
            raise Unavailable("redis", str(error) or type(error).__name__) from None

    async def aclose(self) -> None:
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        self._drop()

    def _break(self, trouble: str) -> None:
        if trouble in self._troubles:
            self._troubles.remove(trouble)
        else:
            # Each once: a password that is wrong shows only after the connection was lost.
            _log.warning("redis_unavailable", reason=trouble)
        self._troubles.append(trouble)
        self._is_available = False
        self._troubled.set()

    async def _keep_connected(self) -> None:
        """Connect, and whenever something went wrong see to it that all is well again."""
        while True:
            try:
                await self._mend()
            except (OSError, TimeoutError, hiredis.HiredisError) as error:
                self._break(_trouble(error)[:200])
                self._drop()
                self._first_attempt.set()
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if not self._is_available:
                _log.info("redis_available")
            self._is_available = True
            self._troubles.clear()
            self._first_attempt.set()
            self._troubled.clear()
            await self._troubled.wait()

    async def _mend(self) -> None:
        """Return once Redis answers as fast as it should."""
        if self._connection is None or self._connection.is_closed:
            self._connection = await self._connect()
        loop = asyncio.get_running_loop()
        while True:
            asked = loop.time()
            _raise_error(await self._connection.ask(_command("PING"), 1, _HUNG_SECONDS))
            if loop.time() - asked < self._timeout_seconds:
                return
            await asyncio.sleep(_RETRY_SECONDS)

    async def _connect(self) -> "_Connection":
        address, loop = self._address, asyncio.get_running_loop()
        async with asyncio.timeout(_HUNG_SECONDS):
            if path := address.get("path"):
                _, connection = await loop.create_unix_connection(self._new_connection, path)
            else:
                host, port = address.get("host", "localhost"), address.get("port", 6379)
                _, connection = await loop.create_connection(
                    self._new_connection, host, port, ssl=_tls(address)
                )
        for greeting in _greetings(address):
            try:
                _raise_error(await connection.ask(greeting, 1, _HUNG_SECONDS))
            except hiredis.ReplyError:
                connection.close()
                raise
        return connection

    def _new_connection(self) -> "_Connection":
        connection = _Connection(on_lost=lambda: self._lost(connection))
        return connection

    def _lost(self, connection: "_Connection") -> None:
        # Of one that was given up it is known why.
        if connection is self._connection:
            self._break("connection lost")

    def _drop(self) -> None:
        given_up, self._connection = self._connection, None
        if given_up is not None:
            given_up.close()


class _Connection(asyncio.Protocol):
    """Replies belong to whoever asked first and has none yet."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._waiting: deque[_Asked] = deque()
        self._transport: asyncio.Transport | None = None

    @property
    def is_closed(self) -> bool:
        return self._transport is None

    async def ask(self, commands: bytes, replies: int, timeout_seconds: float) -> list[Any]:
        if self._transport is None:
            raise ConnectionError("the connection was lost")
        loop = asyncio.get_running_loop()
        asked = _Asked(loop.create_future(), replies)
        self._waiting.append(asked)
        self._transport.write(commands)
        timer = loop.call_later(timeout_seconds, asked.fail, TimeoutError("no response in time"))
        try:
            return await asked.future
        finally:
            timer.cancel()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a protocol of streams gets one

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _NOTHING:
                if self._waiting[0].take(reply):
                    self._waiting.popleft()
        except (hiredis.ProtocolError, IndexError) as error:
            _log.error("redis_reply_broken", reason=str(error))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for asked in self._waiting:
            asked.fail(ConnectionError(str(exc) if exc else "the server closed the connection"))
        self._waiting.clear()
        self._on_lost()


class _Asked:
    """Replies somebody waits for. Once it failed, those that still come are dropped."""

    __slots__ = ("_count", "_replies", "future")

    def __init__(self, future: "asyncio.Future[list[Any]]", count: int) -> None:
        self.future = future
        self._count = count
        self._replies: list[Any] = []

    def take(self, reply: Any) -> bool:
        """True when it was the last one."""
        self._replies.append(reply)
        if len(self._replies) < self._count:
            return False
        if not self.future.done():
            self.future.set_result(self._replies)
        return True

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


def _raise_error(replies: Sequence[Any]) -> None:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply


def _trouble(error: Exception) -> str:
    if isinstance(error, hiredis.ReplyError):
        return reason(error)
    return f"{type(error).__name__}: {error}"


def command_bytes(*parts: bytes) -> bytes:
    """One command in RESP."""
    return b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(p), p) for p in parts])


def _command(*parts: str) -> bytes:
    return command_bytes(*(part.encode() for part in parts))


def _greetings(address: dict[str, Any]) -> Sequence[bytes]:
    found = []
    if password := address.get("password"):
        name = address.get("username")
        found.append(_command("AUTH", *([name] if name else []), password))
    if database := address.get("db"):
        found.append(_command("SELECT", str(database)))
    return found


def _tls(address: dict[str, Any]) -> ssl.SSLContext | None:
    if address.get("connection_class") is not SSLConnection:
        return None
    context = ssl.create_default_context(cafile=address.get("ssl_ca_certs"))
    if address.get("ssl_cert_reqs") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
