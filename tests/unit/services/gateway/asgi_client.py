"""Sends requests straight into the application, byte for byte: no client library tidies them up."""

import asyncio
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message

# Each client has an address of its own, so that none is slowed down for what another did.
_ADDRESSES = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in itertools.count())


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes
    chunks_read: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reasons(self) -> dict[str, str]:
        """Reasons of a problem by field."""
        assert self.headers["content-type"] == "application/problem+json"
        return {problem["field"]: problem["reason"] for problem in self.json["problems"]}


class Client:
    """Calls an application on a given loop.

    Args:
        headers: sent with every request; None in a request's own leaves one out.
    """

    def __init__(self, app: ASGIApp, runner: asyncio.Runner, headers: Mapping[str, str]) -> None:
        self._app = app
        self._runner = runner
        self._headers = headers
        self._address = next(_ADDRESSES)

    def get(self, target: str, **headers: str | None) -> Response:
        return self.send("GET", target, headers=headers)

    def post(self, target: str, document: object) -> Response:
        return self.send("POST", target, json.dumps(document).encode())

    def send(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str | None] | None = None,
    ) -> Response:
        """Header names may have underscores for hyphens."""
        return self._runner.run(self.request(method, target, body, headers))

    async def request(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] = b"",
        own_headers: Mapping[str, str | None] | None = None,
    ) -> Response:
        """The same, for several at once."""
        own = {name.replace("_", "-"): value for name, value in (own_headers or {}).items()}
        # A body that comes in parts announces no size.
        size = {"Content-Length": str(len(body))} if isinstance(body, bytes) and body else {}
        headers = {k: v for k, v in {**self._headers, **size, **own}.items() if v is not None}
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": "not used: /what the server decoded",
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            "scheme": "http",
            "server": ("test", 80),
            "client": (self._address, 40_000),
        }
        chunks = iter(body)
        read = 0
        sent: list[Message] = []

        async def receive() -> Message:
            nonlocal read
            read += 1
            if isinstance(body, bytes):
                return {"type": "http.request", "body": body, "more_body": False}
            chunk = next(chunks, None)
            return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        start, *rest = sent
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        whole = b"".join(message.get("body", b"") for message in rest)
        return Response(start["status"], answered, whole, read)
