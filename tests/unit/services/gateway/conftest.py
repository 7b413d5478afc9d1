"""One gateway over real gRPC, started once; each test finds it as new."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette

from recsys.runtime.api_keys import KeyRing, Scope, new_key
from recsys.runtime.grpc_channel import open_channel
from recsys.runtime.metrics import Metrics, new_metrics
from services.gateway.app import build_app
from services.gateway.backends import INGEST, RECOMMENDER
from services.gateway.backends import Ingest as IngestBackend
from services.gateway.backends import Recommender as RecommenderBackend
from services.gateway.parts import Parts
from services.gateway.readiness import Readiness
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.backends import (
    Ingest,
    ScriptedRecommender,
    start_ingest,
    start_recommender,
)

MADE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """The gateway's surroundings."""

    app: Starlette
    runner: asyncio.Runner
    recommender: ScriptedRecommender
    ingest: Ingest
    keys: dict[str, str]
    metrics: Metrics

    def client(self, key: str | None) -> Client:
        headers = {"Content-Type": "application/json"}
        if key:
            headers["X-API-Key"] = key
        return Client(self.app, self.runner, headers)


@pytest.fixture(scope="module")
def running_world() -> Iterator[World]:
    with asyncio.Runner() as runner:
        recommender, ingest = ScriptedRecommender(), Ingest()
        recommender_server, recommender_target = runner.run(start_recommender(recommender))
        ingest_server, ingest_target = start_ingest(ingest.servicer)
        made = {
            "all": new_key("shop", Scope, MADE),
            "read": new_key("shop", [Scope.READ], MADE),
            "other": new_key("other", Scope, MADE),
        }
        keys = KeyRing(key for key, _ in made.values())

        async def build() -> Parts:
            behind = (
                RecommenderBackend(open_channel(recommender_target, RECOMMENDER)),
                IngestBackend(open_channel(ingest_target, INGEST)),
            )
            return Parts(
                keys,
                *behind,
                Readiness(*behind),
                metrics,
                read_seconds=1.0,
                write_seconds=5.0,
            )

        metrics = new_metrics()
        app = build_app(runner.run(build()))
        texts = {name: text for name, (_, text) in made.items()}
        yield World(app, runner, recommender, ingest, texts, metrics)
        ingest_server.stop(0.1)
        runner.run(recommender_server.stop(0.1))


@pytest.fixture
def world(running_world: World) -> World:
    running_world.recommender.reset()
    running_world.ingest.interactions.away = False
    return running_world


@pytest.fixture
def api(world: World) -> Client:
    """A client that may do everything."""
    return world.client(world.keys["all"])
