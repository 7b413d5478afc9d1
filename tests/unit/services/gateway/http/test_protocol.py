"""The gateway's protocol between a real server and a socket that counts what it is sent."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.gateway.http.protocol import GatewayProtocol


async def whole(request: Request) -> Response:
    body = await request.body()
    return Response(b"x" * 2000 + body)


async def empty(_: Request) -> Response:
    return Response(status_code=204)


async def in_parts(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"one", b"two"):
            yield part
            await asyncio.sleep(0.05)

    return StreamingResponse(parts())


APP = Starlette(
    routes=[
        Route("/whole", whole, methods=["GET", "POST"]),
        Route("/empty", empty),
        Route("/parts", in_parts),
    ]
)


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(APP, http=GatewayProtocol, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True
            await serving


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """All that comes by the first read."""
    writer.write(request)
    return await asyncio.wait_for(reader.read(100_000), timeout=5)


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


def test_head_and_body_come_in_one_piece_also_when_the_connection_is_kept() -> None:
    async def run() -> None:
        async with connection() as (reader, writer):
            for _ in range(3):
                answer = await ask(reader, writer, get("/whole"))
                assert answer.startswith(b"HTTP/1.1 200")
                assert answer.endswith(b"\r\n\r\n" + b"x" * 2000)

    asyncio.run(run())


def test_answers_without_a_body_do_not_wait_for_one() -> None:
    async def run() -> None:
        async with connection() as (reader, writer):
            assert (await ask(reader, writer, get("/empty"))).startswith(b"HTTP/1.1 204")
            head = await ask(reader, writer, get("/whole", "HEAD"))
            assert head.startswith(b"HTTP/1.1 200")
            assert head.endswith(b"\r\n\r\n")
            assert (await ask(reader, writer, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400")

    asyncio.run(run())


def test_what_is_streamed_comes_while_it_is_made() -> None:
    async def run() -> None:
        async with connection() as (reader, writer):
            first = await ask(reader, writer, get("/parts"))
            assert b"one" in first
            assert b"two" not in first
            assert b"two" in await asyncio.wait_for(reader.read(1000), timeout=5)

    asyncio.run(run())


def test_a_client_that_asks_before_it_sends_is_told_to_go_on() -> None:
    async def run() -> None:
        async with connection() as (reader, writer):
            head = (
                b"POST /whole HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n"
                b"Expect: 100-continue\r\n\r\n"
            )
            assert (await ask(reader, writer, head)).startswith(b"HTTP/1.1 100")
            assert (await ask(reader, writer, b"yz")).endswith(b"xyz")

    asyncio.run(run())
