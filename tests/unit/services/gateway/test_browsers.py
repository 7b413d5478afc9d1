"""Public keys with session tokens, cross-origin requests and rate limits."""

import time
from typing import Any

import pytest

from recsys.auth.access import PUBLIC_ROUTES, ROUTE_SCOPES
from recsys.auth.session_tokens import sign_session
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

ORIGIN = "https://shop.example"
EVENT = {"user_id": "ann", "item_id": "lamp", "event_type": "view"}
OF_ANN = "/v1/users/ann/recommendations"


def token(world: World, user_id: str = "ann") -> str:
    return sign_session(world.session_secret, user_id, time.time() + 60)


def browser(world: World, user_id: str = "ann") -> Client:
    return world.client(world.keys["public"], X_Session_Token=token(world, user_id), Origin=ORIGIN)


def a_call(route: str) -> tuple[str, str, bytes]:
    method, _, path = route.partition(" ")
    target = path.replace("{user_id}", "ann").replace("{item_id}", "lamp")
    target = target.replace("{placement}", "home")
    if path == "/v1/recommendations":
        target += "?item_id=lamp"
    body = b'{"events": []}' if path == "/v1/events" else b"{}"
    return method, target, body if method in ("POST", "PUT", "PATCH") else b""


@pytest.mark.parametrize("route", sorted(ROUTE_SCOPES))
def test_a_public_key_does_nothing_without_a_session(world: World, route: str) -> None:
    answer = world.client(world.keys["public"]).send(*a_call(route))
    assert answer.status == (401 if route in PUBLIC_ROUTES else 403)
    kind = "wrong-session" if route in PUBLIC_ROUTES else "missing-scope"
    assert answer.json["type"] == f"/problems/{kind}"


@pytest.mark.parametrize("route", sorted(ROUTE_SCOPES))
def test_a_session_opens_the_public_routes_and_no_others(world: World, route: str) -> None:
    answer = browser(world).send(*a_call(route))
    assert (answer.status in (200, 422)) == (route in PUBLIC_ROUTES)
    if route not in PUBLIC_ROUTES:
        assert answer.status == 403


def test_a_session_reads_and_writes_for_its_user_only(world: World) -> None:
    page = browser(world)
    assert page.get(OF_ANN).status == 200
    for target in ("/v1/users/bob/recommendations", "/v1/users/a%6Eny/recommendations"):
        assert page.get(target).json["type"] == "/problems/other-user"
    assert page.get("/v1/users/a%6En/recommendations").status == 200
    home = "/v1/placements/home:recommend"
    of_ann = page.post(home, {"user_id": "ann"})
    assert (of_ann.status, of_ann.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert page.post(home, {}).status == 200
    assert page.post(home, {"user_id": "bob"}).json["type"] == "/problems/other-user"
    several, requests = "/v1/placements:recommend", [{"placement": "home"}]
    assert page.post(several, {"user_id": "ann", "requests": requests}).status == 200
    for body in (
        {"user_id": "bob", "requests": requests},
        {"user_id": "ann", "requests": [*requests, {"placement": "home", "user_id": "bob"}]},
    ):
        assert page.post(several, body).json["type"] == "/problems/other-user"


def test_an_event_of_another_user_is_rejected_by_itself(world: World) -> None:
    answer = browser(world).post("/v1/events", {"events": [EVENT, {**EVENT, "user_id": "bob"}]})
    assert answer.status == 200
    taken, rejected = answer.json["results"]
    assert taken["status"] == "accepted"
    assert rejected["problems"] == [
        {"field": "user_id", "reason": "is not the user of the session token"}
    ]


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "x" * 9000])
def test_a_session_that_is_none_is_told(world: World, text: str) -> None:
    page = world.client(world.keys["public"], X_Session_Token=text)
    refused = page.get(OF_ANN).json
    assert refused["type"] == "/problems/wrong-session"
    assert ("within 24 hours" if text else "missing") in refused["detail"]


def test_a_session_of_another_public_key_is_worth_nothing(world: World) -> None:
    foreign = sign_session("cd" * 32, "ann", time.time() + 60)
    page = world.client(world.keys["public"], X_Session_Token=foreign)
    assert page.get(OF_ANN).status == 401


@pytest.mark.parametrize("target", [OF_ANN, "/v1/items/lamp", f"{OF_ANN}?limit=0", "/nowhere"])
def test_pages_of_the_shop_may_read_what_is_answered(world: World, target: str) -> None:
    for key in ("all", "public"):
        client = world.client(world.keys[key], Origin=ORIGIN, X_Session_Token=token(world))
        answer = client.get(target)
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(("key", "origin"), [("all", "https://evil.example"), ("other", ORIGIN)])
@pytest.mark.parametrize("target", [OF_ANN, "/v1/items/lamp"])
def test_pages_of_nobody_and_of_other_shops_may_not(
    world: World, key: str, origin: str, target: str
) -> None:
    answer = world.client(world.keys[key], Origin=origin).get(target)
    assert answer.status in (200, 404)
    assert "access-control-allow-origin" not in answer.headers


def test_a_server_sends_no_origin_and_gets_no_header_of_cors(world: World, api: Client) -> None:
    for target in (OF_ANN, "/v1/items/lamp"):
        assert not [name for name in api.get(target).headers if name.startswith("access-control")]


def preflight(world: World, origin: str, method: str = "POST", headers: str = "x-api-key") -> int:
    answer = world.client(None, Origin=origin).send(
        "OPTIONS",
        "/v1/events",
        headers={
            "Access_Control_Request_Method": method,
            "Access_Control_Request_Headers": headers,
        },
    )
    assert answer.headers["x-request-id"]
    if answer.status == 200:
        assert answer.headers["access-control-allow-origin"] == origin
        assert "POST" in answer.headers["access-control-allow-methods"]
    return answer.status


def test_a_preflight_of_a_listed_origin_is_answered(world: World) -> None:
    assert preflight(world, ORIGIN, headers="content-type, x-api-key, x-session-token") == 200
    assert preflight(world, ORIGIN, "DELETE") == 400
    assert preflight(world, ORIGIN, headers="x-anything") == 400
    assert preflight(world, "https://evil.example") == 405


def test_a_key_with_a_limit_is_told_to_wait(world: World) -> None:
    slow = world.client(world.keys["slow"])
    statuses = [slow.get(target).status for target in (OF_ANN, "/v1/recommendations?item_id=lamp")]
    assert statuses == [200, 200]
    for target in (OF_ANN, "/v1/items/lamp"):
        answer = slow.get(target)
        assert answer.status == 429
        assert answer.json["type"] == "/problems/too-many-requests"
        assert 1 <= int(answer.headers["retry-after"]) <= 2
        assert answer.headers["ratelimit-policy"] == '"key";q=2;w=2'
        assert answer.headers["ratelimit"].startswith('"key";r=0;t=')
    assert world.client(world.keys["all"]).get(OF_ANN).status == 200


def test_an_address_with_a_public_key_has_a_limit_of_its_own(world: World) -> None:
    page, elsewhere = browser(world), browser(world)
    answers = [page.get(OF_ANN) for _ in range(30)]
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.headers["ratelimit-policy"] == '"source";q=10;w=2'
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert elsewhere.get(OF_ANN).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filter": "price < user.budget"}, "filter"),
        ({"boosts": [{"filter": "price < user.budget", "weight": 2}]}, "boosts.0.filter"),
    ],
)
def test_a_page_cannot_find_out_what_the_shop_says_of_a_user(
    world: World, body: dict[str, Any], field: str
) -> None:
    page = browser(world)
    answer = page.post("/v1/placements/home:recommend", {"user_id": "ann", **body})
    assert answer.status == 422
    reason = "user.NAME is not for public keys"
    assert answer.json["problems"] == [{"field": field, "reason": reason}]
    one = {"requests": [{"placement": "home", "user_id": "ann", **body}]}
    assert page.post("/v1/placements:recommend", one).status == 422
