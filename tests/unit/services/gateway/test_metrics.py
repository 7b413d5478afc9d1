"""Metrics of a gateway."""

from collections.abc import Mapping

from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

SIMILAR = "/v1/items/{item_id}/similar"


def counted(world: World, labels: Mapping[str, str]) -> float:
    return world.metrics.registry.get_sample_value("recsys_requests_total", dict(labels)) or 0


def test_requests_are_counted_by_the_template_of_their_route(world: World, api: Client) -> None:
    before = counted(world, {"route": SIMILAR, "status": "200"})
    api.get("/v1/items/lamp/similar")
    api.get("/v1/items/desk/similar")
    assert counted(world, {"route": SIMILAR, "status": "200"}) == before + 2


def test_failures_and_refusals_are_counted_too(world: World, api: Client) -> None:
    for status, ask in {
        "401": lambda: world.client(None).get("/v1/items/lamp/similar"),
        "422": lambda: api.get("/v1/items/lamp/similar?limit=0"),
        "502": lambda: fail(world, api),
    }.items():
        before = counted(world, {"route": SIMILAR, "status": status})
        assert str(ask().status) == status
        assert counted(world, {"route": SIMILAR, "status": status}) == before + 1


def test_paths_nobody_knows_share_one_label(world: World, api: Client) -> None:
    before = counted(world, {"route": "unknown", "status": "404"})
    api.get("/wp-login.php")
    api.get("/.env")
    assert counted(world, {"route": "unknown", "status": "404"}) == before + 2


def test_monitoring_needs_no_key_and_shoppers_do_not_see_the_route(world: World) -> None:
    anyone = world.client(None)
    answer = anyone.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"recsys_in_flight 1.0" in answer.body
    assert "/metrics" not in anyone.get("/openapi.json").json["paths"]


def fail(world: World, api: Client) -> object:
    world.recommender.failures = [ZeroDivisionError()]
    return api.get("/v1/items/lamp/similar")
