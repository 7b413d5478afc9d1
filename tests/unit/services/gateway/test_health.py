"""When a load balancer should send requests here."""

import asyncio
from dataclasses import dataclass

import pytest
import uvicorn

from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.http.readiness import DrainingServer, Readiness
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.backends import SNAPSHOT
from tests.unit.services.gateway.conftest import World
from tests.unit.services.gateway.upstream.test_recommenders import gateway, until


@dataclass
class Part:
    name: str
    ready: bool

    def state(self) -> str:
        return "ready" if self.ready else "unavailable"


@pytest.mark.parametrize(
    ("recommender", "ingest", "ready"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
)
def test_ready_while_any_part_answers(recommender: bool, ingest: bool, ready: bool) -> None:
    readiness = Readiness(Part("recommender", recommender), Part("ingest", ingest))
    assert readiness.is_ready(readiness.parts()) is ready


def test_not_ready_once_draining() -> None:
    readiness = Readiness(Part("recommender", True))
    readiness.drain()
    assert not readiness.is_ready(readiness.parts())


def test_ready_by_the_health_of_real_replicas_also_before_the_first_model(
    world: World, api: Client
) -> None:
    api.get("/v1/users/ann/recommendations")
    api.get("/v1/items/lamp")
    answer = api.get("/readyz")
    assert answer.status == 200
    assert answer.json["parts"] == {"recommender": "no model yet", "ingest": "ready"}


def test_ready_with_the_first_model() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            assert asking.state() == "ready"
            for number in range(2):
                await replicas.kill(number)
            await until(lambda: not asking.is_ready())
            assert asking.state() == "unavailable"

    asyncio.run(run())


def test_ready_while_a_replica_keeps_an_older_model_and_says_so() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            old = pb.Snapshot(tenant="shop", model_version="v1", newer_refused=True)
            replicas.scripts[0]._snapshots = [old]
            await replicas.kill(0)
            await replicas.restart(0)
            await until(lambda: asking.state() != "ready")
            assert asking.state() == (
                "ready, but a replica keeps an older model: see recsys models list"
            )
            assert Readiness(asking).is_ready(Readiness(asking).parts())
            replicas.scripts[0]._snapshots = [SNAPSHOT]
            await replicas.kill(0)
            await replicas.restart(0)
            await until(lambda: asking.state() == "ready")

    asyncio.run(run())


def test_an_unready_gateway_says_which_parts_are_away(
    world: World, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        world.application.state.dependencies.readiness, "_backends", [Part("ingest", False)]
    )
    answer = api.get("/readyz")
    assert answer.status == 503
    assert answer.json["parts"] == {"ingest": "unavailable"}


def test_alive_without_a_key(world: World) -> None:
    assert world.client(None).get("/livez").json == {"status": "ok"}


def test_a_signal_turns_readiness_first_and_stops_later() -> None:
    readiness = Readiness(Part("recommender", True))
    server = DrainingServer(uvicorn.Config("unused:app"), readiness, notice_seconds=0.02)

    async def stop() -> tuple[bool, bool]:
        server.handle_exit(15, None)
        at_once = server.should_exit
        await asyncio.sleep(0.1)
        return at_once, server.should_exit

    assert asyncio.run(stop()) == (False, True)
    assert not readiness.is_ready(readiness.parts())


def test_a_second_signal_stops_at_once() -> None:
    server = DrainingServer(uvicorn.Config("unused:app"), Readiness(), notice_seconds=60)

    async def stop() -> bool:
        server.handle_exit(15, None)
        server.handle_exit(15, None)
        return server.should_exit

    assert asyncio.run(stop())
