"""The gateway behind the server it runs on, asked byte by byte."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from recsys.config.address import Address
from services.gateway.main import server_config
from services.gateway.settings import GatewaySettings
from tests.unit.services.gateway.conftest import World

READ = "/v1/users/ann/recommendations"
SETTINGS = GatewaySettings(
    listen=Address("127.0.0.1", 0),
    api_keys=Path("unused"),
    recommender_target="unused",
    ingest_target="unused",
)
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@dataclass(frozen=True)
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        fields = {"Host": "test", **(headers or {})}
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items()), "", ""]
        return await self.send("\r\n".join(lines).encode(), has_body=method != "HEAD")

    async def send(
        self, request: bytes, *, has_body: bool = True
    ) -> tuple[int, dict[str, str], bytes]:
        self.writer.write(request)
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:-2])
            headers = {name.lower(): value for name, value in pairs}
            size = int(headers.get("content-length", 0)) if has_body else 0
            return int(head[0].split()[1]), headers, await self.reader.readexactly(size)


@asynccontextmanager
async def wire_to(world: World) -> AsyncIterator[Wire]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(server_config(world.app, SETTINGS))
        serving = asyncio.create_task(server.serve([listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            yield Wire(reader, writer)
        finally:
            writer.close()
            server.should_exit = True
            await serving


@pytest.mark.parametrize(
    ("path", "status"), [(READ, 401), ("/livez", 200), ("/v1/items/a", 401), ("/nowhere", 404)]
)
def test_a_websocket_upgrade_is_answered_as_the_get_it_is(
    world: World, path: str, status: int
) -> None:
    async def scenario() -> None:
        async with wire_to(world) as wire:
            upgraded = await wire.ask("GET", path, UPGRADE)
            # The connection goes on to speak HTTP.
            plain = await wire.ask("GET", path)
        assert upgraded[0] == plain[0] == status
        assert upgraded[1]["content-type"] == plain[1]["content-type"]

    world.runner.run(scenario())


def test_a_key_reads_through_an_upgrade_too(world: World) -> None:
    async def scenario() -> tuple[int, dict[str, str], bytes]:
        async with wire_to(world) as wire:
            return await wire.ask("GET", READ, UPGRADE | {"X-API-Key": world.keys["read"]})

    status, _, body = world.runner.run(scenario())
    assert status == 200
    assert json.loads(body)["user_id"] == "ann"


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: a\r\n\r\n",
        b"GET /v1/items/\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT shop:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_problem(world: World, request_: bytes) -> None:
    async def scenario() -> tuple[int, dict[str, str], bytes]:
        async with wire_to(world) as wire:
            return await wire.send(request_)

    status, headers, body = world.runner.run(scenario())
    document: dict[str, Any] = json.loads(body)
    assert status == document["status"] == 400
    assert headers["content-type"] == "application/problem+json"
    assert document["type"] == "/problems/bad-request"
    assert document["detail"]
    assert document["instance"] == ""
    assert document["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize("path", [READ, "/v1/users/%61nn/recommendations", "/docs", "/nowhere"])
def test_head_has_the_headers_of_get_and_no_body(world: World, path: str) -> None:
    key = {"X-API-Key": world.keys["read"], "X-Request-ID": "one"}

    async def scenario() -> None:
        async with wire_to(world) as wire:
            status, headers, _ = await wire.ask("HEAD", path, key)
            # A body nobody asked for would be read as the head of this one.
            got = await wire.ask("GET", path, key)
        assert (status, without_date(headers)) == (got[0], without_date(got[1]))
        assert int(headers["content-length"]) == len(got[2])

    world.runner.run(scenario())


def without_date(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "date"}
