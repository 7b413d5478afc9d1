"""The problems that the real HAProxy states by itself, and what it logs of them."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from infra.local.settings import REPOSITORY, Settings
from services.gateway.routes.openapi import PROBLEM_SCHEMA
from services.gateway.schemas.problems import PROBLEM_TYPES
from tests.integration.balancer import balancing, log_of, on_free_ports, until, until_served
from tests.integration.listening import listening
from tests.integration.stub_gateway import StubGateway

SHOPPER = "very-secret-shopper"
READ = f"/v1/users/{SHOPPER}/recommendations"
QUERY = "a-secret-query"
CONFIGURATIONS = ("infra/haproxy/haproxy.cfg", "infra/compose/haproxy.cfg")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with on_free_ports(tmp_path) as settings:
        yield settings


def problem(answer: httpx.Response, status: int, instance: str) -> dict[str, Any]:
    """The document of an answer that must be a problem of this status, as described."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    document: dict[str, Any] = answer.json()
    Draft202012Validator(PROBLEM_SCHEMA).validate(document)
    assert document["status"] == status
    assert document["detail"]
    assert document["instance"] == instance
    assert document["request_id"] == answer.headers["X-Request-ID"]
    return document


@asynccontextmanager
async def junk(port: int) -> AsyncIterator[None]:
    """A gateway that is well by its checks, and answers what is no HTTP."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        well = b"/readyz" in head or b"/livez" in head
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" if well else b"junk\r\n\r\n")

    async with listening(converse, port):
        yield


def test_without_any_gateway(settings: Settings) -> None:
    async def scenario() -> None:
        async with balancing(settings) as client:
            answer = await client.get(f"{READ}?limit=5")
        problem(answer, 503, READ)
        assert answer.headers["Retry-After"] == "1"

    asyncio.run(scenario())


def test_when_gateways_are_too_slow_or_answer_no_http(settings: Settings) -> None:
    async def scenario() -> None:
        slow = StubGateway()
        async with slow.listening(settings.ports.gateway_1), balancing(settings) as client:
            await until_served(client)
            slow.seconds = 20
            answer = await client.post("/v1/events", json={}, timeout=20)
            problem(answer, 504, "/v1/events")
        async with junk(settings.ports.gateway_1), balancing(settings) as client:
            await until_served(client)
            problem(await client.post("/v1/events", json={}), 502, "/v1/events")

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/metrics", '/metrics/"a\\b"', "/metrics/%22%ff", "/metrics/{}"])
def test_where_callers_from_outside_may_not_go(settings: Settings, path: str) -> None:
    """Sent as they are: a path must not break out of the JSON it is told in."""

    async def scenario() -> None:
        async with balancing(settings):
            head, body = await ask(settings.ports.http, f"GET {path}?q=1 HTTP/1.1\r\nHost: a")
        problem(httpx.Response(int(head.split()[1]), headers=fields(head), content=body), 404, path)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("given", "kept"),
    [("shop-42", True), ('a"\\b', True), ("a b", False), ("x" * 129, False), (None, False)],
)
@pytest.mark.parametrize("requests", [1, 2], ids=["first", "second on the connection"])
def test_the_request_id_is_the_callers_where_that_is_sane(
    settings: Settings, given: str | None, kept: bool, requests: int
) -> None:
    async def scenario() -> None:
        headers = {} if given is None else {"X-Request-ID": given}
        async with balancing(settings) as client:
            for _ in range(requests):
                answer = await client.get("/metrics", headers=headers)
        made = problem(answer, 404, "/metrics")["request_id"]
        assert (made == given) is kept
        assert kept or re.fullmatch("[0-9a-f-]{36}", made)

    asyncio.run(scenario())


def test_a_body_that_does_not_arrive(settings: Settings) -> None:
    async def scenario() -> None:
        async with balancing(settings):
            head, body = await ask(
                settings.ports.http,
                "POST /v1/events HTTP/1.1\r\nHost: a\r\nX-Request-ID: slow\r\nContent-Length: 9",
            )
        answer = httpx.Response(int(head.split()[1]), headers=fields(head), content=body)
        assert problem(answer, 408, "/v1/events")["request_id"] == "slow"

    asyncio.run(scenario())


@pytest.mark.parametrize("length", [16385, 17_000, 30_000])
def test_a_url_that_is_too_long(settings: Settings, length: int) -> None:
    """As 100 items to leave out, of long ids, in the query."""
    path = "/v1/items/a/similar"
    target = f"{path}?exclude_item_id=".ljust(length, "x")

    async def scenario() -> None:
        async with balancing(settings):
            head, body = await ask(settings.ports.http, f"GET {target} HTTP/1.1\r\nHost: a")
        answer = httpx.Response(int(head.split()[1]), headers=fields(head), content=body)
        assert "placements take filters" in problem(answer, 414, path)["detail"]

    asyncio.run(scenario())


def test_a_url_of_the_greatest_length_is_asked(settings: Settings) -> None:
    target = f"{READ}?filter=".ljust(16384, "x")

    async def scenario() -> None:
        async with (
            StubGateway().listening(settings.ports.gateway_1),
            balancing(settings) as client,
        ):
            await until_served(client)
            assert (await client.get(target)).status_code == 200
            cookie = {"Cookie": "x" * 15_000}
            assert (await client.get(READ, headers=cookie)).status_code == 200
            cookie = {"Cookie": "x" * 16_000}
            problem(await client.get(READ, headers=cookie), 431, READ)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("nonsense", 400),
        ("GET /\xff HTTP/1.1\r\nHost: a", 400),
        ("GET / HTTP/1.1\r\na b: c", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket", 400),
        ("GET / HTTP/1.1\r\nHost: a" + "\r\nX: y" * 200, 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 422),
    ],
)
def test_a_head_that_cannot_be_read_gets_the_page_compiled_in(
    settings: Settings, head: str, status: int
) -> None:
    """The one answer that HAProxy 2.8 lets nobody word: see docs/decisions/0004."""

    async def scenario() -> None:
        async with balancing(settings):
            answer, _ = await ask(settings.ports.http, head)
        assert answer.startswith(f"HTTP/1.1 {status} ")
        assert fields(answer)["content-type"] == "text/html"

    asyncio.run(scenario())


def test_no_line_of_the_log_names_a_shopper(settings: Settings) -> None:
    """Failures of all kinds: with and without gateways, refused, broken and cut off."""
    query = f"?user={QUERY}"

    async def until_logged(text: bytes, lines: int = 1) -> None:
        """A line may be written after its answer, and the balancer is killed."""
        await until(lambda: log_of(settings).read_bytes().count(text) >= lines)

    async def scenario() -> None:
        async with balancing(settings) as client:
            await client.get(READ + query, headers={"X-Request-ID": "no-gateway"})
            await client.get(f"/metrics/{SHOPPER}{query}")
            port = settings.ports.http
            await ask(port, f"GET {READ}\xff{query} HTTP/1.1\r\nHost: a")
            await ask(port, f"GET {READ}{query} HTTP/1.1\r\nHo st: {SHOPPER}")
            await ask(port, f"{SHOPPER} {query}")
            await until_logged(b"no-gateway")
            await until_logged(b"<BADREQ>", lines=3)
        async with junk(settings.ports.gateway_1), balancing(settings) as client:
            await until_served(client)
            await client.get(READ + query, headers={"X-Request-ID": "junk"})
            await until_logged(b"junk")
        async with (
            StubGateway().listening(settings.ports.gateway_1),
            balancing(settings) as client,
        ):
            await until_served(client)
            await client.get(READ + query)

    asyncio.run(scenario())
    log = log_of(settings).read_bytes()
    assert log.count(b"no-gateway") == log.count(b"junk") == 1
    assert log.count(b"<BADREQ>") == 3
    assert SHOPPER.encode() not in log
    assert QUERY.encode() not in log


def test_a_failure_is_one_line_with_its_request_id(settings: Settings) -> None:
    """Before checks have found the gateways down, and after."""
    ids = [f"no-gateway-{number}" for number in range(8)]

    async def scenario() -> None:
        async with balancing(settings) as client:
            for request_id in ids:
                await client.get(READ, headers={"X-Request-ID": request_id})
                await asyncio.sleep(0.4)

    asyncio.run(scenario())
    lines = log_of(settings).read_text(encoding="utf-8").splitlines()
    for request_id in ids:
        [line] = [line for line in lines if line.endswith(f"GET {request_id}")]
        assert " 503 " in line
        assert "reads/" in line


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_problems_are_of_the_gateways_table(path: str) -> None:
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    stated = re.findall(
        r"http-(?:error|request return) status (\d+) "
        r'.*"type":"([^"]+)","title":"([^"]+)","status":(\d+)',
        text,
    )
    assert {int(status) for status, *_ in stated} == {400, 404, 408, 414, 431, 500, 502, 503, 504}
    known = {(str(kind.status), kind.uri, kind.title, str(kind.status)) for kind in PROBLEM_TYPES}
    assert set(stated) <= known


async def ask(port: int, head: str) -> tuple[str, bytes]:
    """Send a head byte for byte; head and body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head}\r\n\r\n".encode("latin-1"))
    async with asyncio.timeout(15):
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await reader.readexactly(int(fields(answer)["content-length"]))
    writer.close()
    return answer, body


def fields(head: str) -> dict[str, str]:
    pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:-2])
    return {name.lower(): value for name, value in pairs}
