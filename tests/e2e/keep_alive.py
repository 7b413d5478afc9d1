"""Requests over kept HTTP/1.1 connections, at little CPU: the load must not be what is slow."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import httptools


@dataclass(slots=True)
class Response:
    """A response; header names in lower case."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


class Connections:
    """As many connections to one server as there are requests at the same time.

    Like a browser it asks once: what fails has failed.
    """

    def __init__(self, host: str, port: int, headers: Mapping[str, str]) -> None:
        self._address = host, port
        fixed = {"Host": f"{host}:{port}", **headers}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        self._idle: list[_Connection] = []

    async def ask(self, method: str, path: str, body: bytes, request_id: str) -> Response:
        """
        Raises:
            OSError: when the connection ended before the answer was whole.
        """
        connection = await self._connection()
        head = f"{method} {path} HTTP/1.1\r\n{self._head}X-Request-ID: {request_id}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        answer = await connection.ask(f"{head}\r\n".encode() + body)
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def _connection(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, *self._address)
        return connection


class _Connection(asyncio.Protocol):
    """One request at a time; the callbacks named on_* are httptools'."""

    reusable = True

    def __init__(self) -> None:
        self._answer: asyncio.Future[Response] | None = None

    async def ask(self, request: bytes) -> Response:
        self._answer = asyncio.get_running_loop().create_future()
        self._response = Response()
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)
        try:
            return await self._answer
        except asyncio.CancelledError:
            # Its answer may still come, and would be taken for the next one's.
            self.close()
            raise

    def close(self) -> None:
        self.reusable = False
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass, whatever the types say.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.connection_lost(error)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionResetError(str(exc or "closed")))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._response.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._response.body += body

    def on_message_complete(self) -> None:
        self._response.status = self._parser.get_status_code()
        self.reusable = self.reusable and self._parser.should_keep_alive()
        if self._answer and not self._answer.done():
            self._answer.set_result(self._response)
