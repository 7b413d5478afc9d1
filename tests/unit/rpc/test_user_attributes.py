"""Attributes of users over real gRPC: read within a moment, kept for the next."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from recsys.rpc.convert import from_attributes
from recsys.rpc.user_attributes import ATTRIBUTES_SECONDS, UserAttributes
from recsys.rpc.v1 import ingest_pb2
from recsys.rpc.v1.ingest_pb2_grpc import IngestServiceServicer, add_IngestServiceServicer_to_server

# A busy machine may take a while to end a wait.
_LONG_SECONDS = 5.0
SAID = {"segment": "trade", "orders": 12.5, "newsletter": True}


class Ingest(IngestServiceServicer):
    """Knows one user, and can hang."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str]]] = []
        self.hangs = False

    async def GetUser(  # type: ignore[override]  # noqa: N802
        self, request: ingest_pb2.GetUserRequest, context: Any
    ) -> ingest_pb2.GetUserResponse:
        metadata = {str(key): str(value) for key, value in context.invocation_metadata()}
        self.calls.append((request.tenant, request.user_id, metadata))
        if self.hangs:
            await asyncio.sleep(_LONG_SECONDS)
        if request.user_id != "ann":
            await context.abort(grpc.StatusCode.NOT_FOUND, "nothing is said")
        return ingest_pb2.GetUserResponse(user=from_attributes("ann", SAID))


def with_ingest(act: Callable[[UserAttributes, Ingest, list[float]], Awaitable[None]]) -> None:
    """Act with a reader, the service that it asks, and the time, which only a test changes."""

    async def run() -> None:
        server, ingest, now = grpc.aio.server(), Ingest(), [0.0]
        add_IngestServiceServicer_to_server(ingest, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await channel.channel_ready()
            metadata = (("x-service-token", "secret"),)
            await act(UserAttributes(channel, metadata, lambda: now[0]), ingest, now)
        await server.stop(None)

    asyncio.run(run())


async def read(users: UserAttributes, user_id: str, now: list[float]) -> object:
    """What was read, with a second for each try: on a busy machine the first may be too late."""
    for _ in range(20):
        now[0] += 1
        if (found := await users.of("shop", user_id)) is not None:
            return found
    return None


def test_attributes_are_read_as_the_shop_said_them() -> None:
    async def act(users: UserAttributes, ingest: Ingest, now: list[float]) -> None:
        assert await read(users, "ann", now) == SAID
        assert await read(users, "nobody", now) == {}
        tenant, user_id, metadata = ingest.calls[0]
        assert (tenant, user_id, metadata["x-service-token"]) == ("shop", "ann", "secret")

    with_ingest(act)


def test_who_asks_again_within_a_second_gets_the_same_without_a_call() -> None:
    async def act(users: UserAttributes, ingest: Ingest, now: list[float]) -> None:
        await read(users, "ann", now)
        calls = len(ingest.calls)
        now[0] += 0.9
        assert await users.of("shop", "ann") == SAID
        assert len(ingest.calls) == calls
        now[0] += 0.1
        await users.of("shop", "ann")
        assert len(ingest.calls) == calls + 1

    with_ingest(act)


@pytest.mark.parametrize("user_id", ["ann", "nobody"])
def test_what_does_not_come_in_time_is_waited_for_once_a_second(user_id: str) -> None:
    async def act(users: UserAttributes, ingest: Ingest, now: list[float]) -> None:
        ingest.hangs = True
        begun = asyncio.get_running_loop().time()
        assert await users.of("shop", user_id) is None
        assert asyncio.get_running_loop().time() - begun < ATTRIBUTES_SECONDS + 1
        calls = len(ingest.calls)
        assert await users.of("shop", user_id) is None
        assert len(ingest.calls) == calls
        ingest.hangs = False
        assert await read(users, user_id, now) is not None

    with_ingest(act)


def test_a_service_that_is_away_is_no_error() -> None:
    async def act() -> None:
        async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
            assert await UserAttributes(channel, ()).of("shop", "ann") is None

    asyncio.run(act())
