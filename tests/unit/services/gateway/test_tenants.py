"""Whatever a request says, it is about the shop of its key: for every route there is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from recsys.auth.access import ROUTE_SCOPES
from services.gateway.upstream.ingest import ServiceClient
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

# What stands in a path: of a user and an item that the first shop has.
_IN_PATHS = {"user_id": "ann", "item_id": "secret", "placement": "home"}


def requests(document: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """One for each route with a key, from its own examples."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "security" not in operation:
                continue
            target = path
            for name, value in _IN_PATHS.items():
                target = target.replace(f"{{{name}}}", value)
            if path == "/v1/recommendations":
                target += "?item_id=secret"
            content = operation.get("requestBody", {}).get("content", {})
            yield method.upper(), target, content.get("application/json", {}).get("example")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tenants that the ingest service is asked for."""
    tenants: list[str] = []
    whole = ServiceClient._ask

    async def recording(own: Any, method: Any, request: Any, call: Any, *, attempts: int) -> Any:
        tenants.extend(batch.tenant for batch in getattr(request, "batches", [request]))
        return await whole(own, method, request, call, attempts=attempts)

    monkeypatch.setattr(ServiceClient, "_ask", recording)
    return tenants


def test_every_route_asks_for_the_shop_of_its_key_alone(
    world: World, api: Client, asked: list[str]
) -> None:
    secret = {"item_id": "secret", "title": "of the first shop"}
    api.post("/v1/items:batchUpsert", {"items": [secret]})
    viewed = {"user_id": "ann", "item_id": "secret", "event_type": "view"}
    api.post("/v1/events", {"events": [viewed]})
    asked.clear()
    world.recommender.asked.clear()
    stranger = world.client(world.keys["other"], X_Tenant="shop", Tenant="shop")
    reached = 0
    for method, target, example in requests(api.get("/openapi.json").json):
        before = len(asked) + len(world.recommender.asked)
        for body in (example, example and {**example, "tenant": "shop"}):
            answer = _sent(stranger, method, target, body)
            assert b"of the first shop" not in answer.body, target
        named = f"{target}{'&' if '?' in target else '?'}tenant=shop"
        assert _sent(stranger, method, named, None).status in (404, 422), target
        reached += len(asked) + len(world.recommender.asked) > before
    # Each but those of placements, of which the other shop has none.
    assert reached == sum("placement" not in route for route in ROUTE_SCOPES)
    assert {*asked, *(question.tenant for question in world.recommender.asked)} == {"other"}
    assert api.get("/v1/items/secret").json["title"] == "of the first shop"
    assert len(world.ingest.interactions.history("shop", "ann")) == 1


def test_a_placement_of_one_shop_is_unknown_in_another(world: World) -> None:
    answer = world.client(world.keys["other"]).post("/v1/placements/home:recommend", {})
    assert answer.status == 404
    assert "home" not in answer.json["detail"].partition("it has")[2]
    assert not world.recommender.asked


def _sent(client: Client, method: str, target: str, document: Any) -> Any:
    return client.send(method, target, b"" if document is None else json.dumps(document).encode())
