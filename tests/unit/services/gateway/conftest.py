"""One gateway over real gRPC, started once; each test finds it as new."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp

from recsys.auth.api_keys import PUBLIC_SCOPES, KeyRing, Scope, new_key
from recsys.auth.rate_limiter import RateLimiter
from recsys.config.shop import RequestLimits
from recsys.core.serving.controls import Boost, Controls, Fatigue
from recsys.core.serving.experiments import Experiment, Variant
from recsys.core.serving.placement import Placement, ScheduledRule
from recsys.rpc import user_attributes
from recsys.rpc.user_attributes import UserAttributes
from recsys.runtime.grpc import thread_server
from recsys.runtime.grpc.channel import open_channel
from recsys.runtime.metrics import Metrics, new_metrics
from services.gateway.app import build_app, serving_app
from services.gateway.dependencies import Dependencies
from services.gateway.http.rate_limits import ClientSource, FailedKeys, RateLimits
from services.gateway.http.readiness import Readiness
from services.gateway.http.request_context import AccessLog
from services.gateway.upstream import recommenders as recommenders_module
from services.gateway.upstream.ingest import INGEST
from services.gateway.upstream.ingest import Ingest as IngestBackend
from services.gateway.upstream.recommenders import Recommenders
from services.gateway.upstream.replicas import ReplicaAddresses
from tests.builders import EVENT_TYPES
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.backends import (
    NOW_MS,
    Ingest,
    ScriptedRecommender,
    start_ingest,
    start_recommender,
    target_of,
)

READ_SECONDS = 1.0
# Few enough that a busy machine reaches them.
LIMITS = RequestLimits(browser_requests_per_second=5)
ORIGINS = ("https://shop.example",)
_FEW = Placement(("popular",), Controls(max_per_brand=1))
PLACEMENTS = {
    "tested": Placement(("for_you", "popular")),
    "home": Placement(("for_you", "popular")),
    "product_page": Placement(("similar",)),
    "empty": Placement(("new",)),
    "unseen": Placement(("similar",), Controls(exclude_seen_days=30)),
    "tiring": Placement(("similar",), Controls(fatigue=Fatigue(3, 0.5))),
    "ruled": Placement(
        ("popular",),
        Controls(diversity=0.5, max_per_brand=2),
        (
            ScheduledRule("sale", (), Boost("price < 5", 2.0, "sale"), until_ms=NOW_MS + 1),
            ScheduledRule("over", (), Boost("price < 9", 3.0, "over"), until_ms=NOW_MS),
        ),
    ),
    "traded": Placement(
        ("popular",),
        rules=(
            ScheduledRule(
                "trade", (), Boost("price < 5", 2.0, "trade"), when="user.segment = 'trade'"
            ),
        ),
    ),
}
EXPERIMENTS = (
    Experiment(
        "more_brands",
        "default",
        frozenset({"tested"}),
        0.0,
        0.5,
        (Variant("control", 1.0), Variant("few", 1.0, {"tested": _FEW})),
    ),
    Experiment(
        "stopped",
        "default",
        frozenset({"tested"}),
        0.5,
        1.0,
        (Variant("a", 1.0), Variant("b", 1.0, {"tested": _FEW})),
        is_running=False,
    ),
)
MADE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """The gateway and its surroundings.

    Attributes:
        application: without the hot routes in front of it.
        log_lines: of the hot routes, once flushed.
    """

    application: FastAPI
    app: ASGIApp
    log_lines: list[str]
    runner: asyncio.Runner
    recommender: ScriptedRecommender
    ingest: Ingest
    keys: dict[str, str]
    session_secret: str
    metrics: Metrics

    def plain_client(self) -> Client:
        """One that may do everything, of the application alone."""
        headers = {"Content-Type": "application/json", "X-API-Key": self.keys["all"]}
        return Client(self.application, self.runner, headers)

    def client(self, key: str | None, **headers_of_all: str) -> Client:
        """Header names may have underscores for hyphens."""
        headers = {"Content-Type": "application/json"}
        headers |= {name.replace("_", "-"): text for name, text in headers_of_all.items()}
        if key:
            headers["X-API-Key"] = key
        return Client(self.app, self.runner, headers)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def running_world() -> Iterator[World]:
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        # A busy machine may take longer for what is quick in a shop, and is tested by itself.
        patch.setattr(user_attributes, "ATTRIBUTES_SECONDS", READ_SECONDS)
        patch.setattr(recommenders_module, "HUNG_SECONDS", 10.0)
        patch.setattr(thread_server, "MAX_WAIT_SECONDS", 10.0)
        recommender, ingest = ScriptedRecommender(), Ingest()
        recommender_server, address = runner.run(start_recommender(recommender))
        ingest_server, ingest_target = start_ingest(ingest.servicer)
        made = {
            "all": new_key("shop", Scope, MADE),
            "read": new_key("shop", [Scope.READ], MADE),
            "write": new_key("shop", [Scope.EVENTS_WRITE], MADE),
            "other": new_key("other", Scope, MADE),
            "public": new_key("shop", PUBLIC_SCOPES, MADE, public=True),
            "slow": new_key("shop", Scope, MADE, requests_per_second=1),
        }
        keys = KeyRing(key for key, _ in made.values())

        lines: list[str] = []
        metrics = new_metrics()

        async def build() -> Dependencies:
            recommenders = Recommenders(
                ReplicaAddresses(target_of(address)), READ_SECONDS, max_pending=100
            )
            to_ingest = open_channel(ingest_target, INGEST)
            behind = (recommenders, IngestBackend(to_ingest))
            parts = Dependencies(
                keys,
                FailedKeys(trusted=()),
                RateLimits(RateLimiter(), ClientSource(()), lambda _: LIMITS),
                *behind,
                Readiness(*behind),
                metrics,
                AccessLog("gateway", "test", lines.append),
                event_types=lambda: sorted(EVENT_TYPES),
                event_types_of=lambda _: EVENT_TYPES,
                windows_of=lambda _: (1, 7),
                placements_of=lambda tenant: PLACEMENTS if tenant == "shop" else {},
                allowed_origins_of=lambda tenant: ORIGINS if tenant in (None, "shop") else (),
                experiments_of=lambda tenant: EXPERIMENTS if tenant == "shop" else (),
                user_attributes=UserAttributes(to_ingest, ()),
                now_ms=lambda: NOW_MS,
                read_seconds=READ_SECONDS,
                write_seconds=5.0,
            )
            await asyncio.wait_for(until(recommenders.is_ready), timeout=5)
            return parts

        parts = runner.run(build())
        app = build_app(parts)
        secret = str(made["public"][0].session_secret)
        texts = {name: text for name, (_, text) in made.items()}
        hot = serving_app(parts)
        yield World(app, hot, lines, runner, recommender, ingest, texts, secret, metrics)
        runner.run(parts.recommender.close())
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
