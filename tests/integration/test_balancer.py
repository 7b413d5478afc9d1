"""The real HAProxy with the real configuration, before gateways that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from infra.local.settings import Settings
from recsys.core.limits import MAX_EVENT_BATCHES
from tests.integration.balancer import (
    PATIENCE_MS,
    balancing,
    on_free_ports,
    until,
    until_served,
)
from tests.integration.stub_gateway import StubGateway

READ, WRITE = "/v1/users/u1/recommendations", "/v1/events"
PLACES_FOR_READS, MAX_READS = 128, 512
# Of a gateway's events: one call to ingest under way, and what is gathered for the next.
PLACES_FOR_WRITES = 2 * MAX_EVENT_BATCHES
# Longer than more than that may be there.
TOO_LONG_SECONDS = PATIENCE_MS / 1000 + 0.2
# For tests about what that time is for, however long they take to ask so much.
LONG_MS = 10_000


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with on_free_ports(tmp_path) as settings:
        yield settings


def assert_turned_away(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 503


def test_gateways_that_do_not_run_when_it_starts_cost_no_answer(settings: Settings) -> None:
    async def scenario() -> set[bytes]:
        # So slow, for so many at a time, that one which is not there would look the least busy.
        gateway, port = StubGateway(seconds=0.01), settings.ports.http
        async with gateway.listening(settings.ports.gateway_1):
            # From before the balancer listens.
            asking = [asyncio.create_task(ask_on(port, seconds=1.0)) for _ in range(50)]
            async with balancing(settings):
                return set().union(*await asyncio.gather(*asking))

    assert asyncio.run(scenario()) == {b"200"}


async def ask_on(port: int, seconds: float) -> set[bytes]:
    """Ask again and again, on a new connection each time: the statuses of the answers."""
    until, statuses = asyncio.get_running_loop().time() + seconds, set()
    while asyncio.get_running_loop().time() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.001)
        else:
            writer.write(b"GET %s HTTP/1.1\r\nHost: shop\r\n\r\n" % READ.encode())
            statuses.add((await reader.readline()).split()[1])
            writer.close()
    return statuses


def test_the_demo_shop_has_its_path_and_no_other(settings: Settings) -> None:
    async def scenario() -> None:
        gateway, storefront = StubGateway(), StubGateway()
        async with (
            gateway.listening(settings.ports.gateway_1),
            storefront.listening(settings.ports.storefront),
            balancing(settings) as client,
        ):
            await until_served(client)
            begun = gateway.answered
            for path in ("/shop", "/shop/", "/shop?a=b", "/shop/items/1", "/shop/v1/events"):
                await client.get(path)
            await client.post("/shop/basket", content=b"item_id=1")
            assert (storefront.answered, gateway.answered) == (6, begun)
            for path in ("/shopping", "/v1/shop", "/", "/docs"):
                await client.get(path)
            assert (storefront.answered, gateway.answered) == (6, begun + 4)

    asyncio.run(scenario())


def asked(client: httpx.AsyncClient, count: int) -> list[asyncio.Task[httpx.Response]]:
    return [asyncio.create_task(client.get(READ)) for _ in range(count)]


def posted(client: httpx.AsyncClient, count: int) -> list[asyncio.Task[httpx.Response]]:
    return [asyncio.create_task(client.post(WRITE, json={})) for _ in range(count)]


async def statuses(asking: list[asyncio.Task[httpx.Response]]) -> set[int]:
    return {answer.status_code for answer in await asyncio.gather(*asking)}


def test_more_than_there_are_places_for_is_turned_away_once_it_lasts(settings: Settings) -> None:
    async def scenario() -> None:
        gateway = StubGateway()
        async with (
            gateway.listening(settings.ports.gateway_1),
            balancing(settings) as client,
        ):
            await until_served(client)
            gateway.reads_go_on.clear()
            before = gateway.waiting
            asking = asked(client, PLACES_FOR_READS)
            await until(lambda: gateway.waiting - before == PLACES_FOR_READS)
            await asyncio.sleep(TOO_LONG_SECONDS)

            refused = await client.get(READ)
            # Writes have places of their own.
            written = await client.post(WRITE, json={})
            assert not any(each.done() for each in asking)
            gateway.reads_go_on.set()
            assert await statuses(asking) == {200}
            after = await client.get(READ)

        assert_turned_away(refused)
        assert written.status_code == 200
        assert after.status_code == 200

    asyncio.run(scenario())


def test_events_have_places_for_two_calls_to_ingest(settings: Settings) -> None:
    async def scenario() -> None:
        gateway = StubGateway()
        async with gateway.listening(settings.ports.gateway_1), balancing(settings) as client:
            await until_served(client)
            gateway.seconds = 4 * TOO_LONG_SECONDS
            before = gateway.waiting
            writing = posted(client, PLACES_FOR_WRITES - 1)
            await until(lambda: gateway.waiting - before == PLACES_FOR_WRITES - 1)
            await asyncio.sleep(TOO_LONG_SECONDS)
            writing += posted(client, 1)
            await until(lambda: gateway.waiting - before == PLACES_FOR_WRITES)

            assert_turned_away(await client.post(WRITE, json={}))
            assert await statuses(writing) == {200}

    asyncio.run(scenario())


@dataclass
class Crowd:
    """Connections on which all ask in the same moment; a client library would need seconds."""

    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]

    def ask(self) -> None:
        for _, writer in self.streams:
            writer.write(b"GET %s HTTP/1.1\r\nHost: shop\r\n\r\n" % READ.encode())

    async def statuses(self) -> set[bytes]:
        lines = await asyncio.gather(*(reader.readline() for reader, _ in self.streams))
        return {line.split()[1] for line in lines}


@asynccontextmanager
async def crowd_of(count: int, port: int) -> AsyncIterator[Crowd]:
    connecting = (asyncio.open_connection("127.0.0.1", port) for _ in range(count))
    streams = await asyncio.gather(*connecting)
    try:
        yield Crowd(streams)
    finally:
        for _, writer in streams:
            writer.close()
        closing = (writer.wait_closed() for _, writer in streams)
        await asyncio.gather(*closing, return_exceptions=True)


def test_a_short_stall_of_a_gateway_turns_nobody_away(settings: Settings) -> None:
    async def scenario() -> set[bytes]:
        gateway = StubGateway()
        async with (
            gateway.listening(settings.ports.gateway_1),
            balancing(settings, LONG_MS) as client,
            crowd_of(MAX_READS - 10, settings.ports.http) as crowd,
        ):
            await until_served(client)
            gateway.reads_go_on.clear()
            before = gateway.waiting
            crowd.ask()
            await until(lambda: gateway.waiting - before == MAX_READS - 10)
            gateway.reads_go_on.set()
            return await crowd.statuses()

    assert asyncio.run(scenario()) == {b"200"}


def test_when_a_gateway_goes_the_other_one_takes_what_both_had_room_for(
    settings: Settings,
) -> None:
    async def scenario() -> set[bytes]:
        stays, goes = StubGateway(), StubGateway()
        async with (
            stays.listening(settings.ports.gateway_1),
            balancing(settings, LONG_MS) as client,
            crowd_of(2 * PLACES_FOR_READS - 10, settings.ports.http) as first,
            crowd_of(2, settings.ports.http) as finders,
            crowd_of(10, settings.ports.http) as then,
        ):
            async with goes.listening(settings.ports.gateway_2):
                while not (stays.answered and goes.answered):
                    await client.get("/livez")
                for gateway in (stays, goes):
                    gateway.reads_go_on.clear()
                before = stays.waiting + goes.waiting
                first.ask()
                await until(lambda: stays.waiting + goes.waiting - before == len(first.streams))
            # One of these finds that it takes no further connection, and so it counts as gone.
            finders.ask()
            await asyncio.sleep(0.1)
            then.ask()
            await asyncio.sleep(0.1)
            for gateway in (stays, goes):
                gateway.reads_go_on.set()
            answered = await asyncio.gather(*(each.statuses() for each in (first, finders, then)))
            return set().union(*answered)

    assert asyncio.run(scenario()) == {b"200"}


def test_far_more_than_there_are_places_for_is_turned_away_at_once(settings: Settings) -> None:
    async def scenario() -> None:
        gateway = StubGateway()
        async with (
            gateway.listening(settings.ports.gateway_1),
            balancing(settings) as client,
            crowd_of(MAX_READS, settings.ports.http) as crowd,
        ):
            await until_served(client)
            gateway.reads_go_on.clear()
            before = gateway.waiting
            crowd.ask()
            await until(lambda: gateway.waiting - before == MAX_READS)
            assert_turned_away(await client.get(READ))
            gateway.reads_go_on.set()
            assert await crowd.statuses() == {b"200"}

    asyncio.run(scenario())


def test_without_any_gateway_the_problem_says_when_to_come_again(settings: Settings) -> None:
    async def scenario() -> None:
        async with balancing(settings) as client:
            for answer in (await client.get(READ), await client.post(WRITE, json={})):
                assert_turned_away(answer)

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics?a=1", "/%6Detrics"])
def test_metrics_are_not_for_storefronts(settings: Settings, path: str) -> None:
    async def scenario() -> None:
        gateway = StubGateway()
        async with gateway.listening(settings.ports.gateway_1), balancing(settings) as client:
            await until_served(client)
            before = gateway.answered
            answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert gateway.answered == before

    asyncio.run(scenario())


@pytest.mark.parametrize("compression", [True, False])
def test_answers_are_packed_for_those_who_ask_unless_it_is_off(
    settings: Settings, compression: bool
) -> None:
    async def scenario() -> httpx.Response:
        async with (
            StubGateway().listening(settings.ports.gateway_1),
            balancing(replace(settings, compression=compression)) as client,
        ):
            await until_served(client)
            return await client.get(READ, headers={"Accept-Encoding": "gzip"})

    answer = asyncio.run(scenario())
    assert answer.headers.get("Content-Encoding") == ("gzip" if compression else None)
    assert answer.json()["items"] == ["22423"] * 100
