"""Merging users over REST."""

import pytest

from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

MERGE = "/v1/users:merge"


def test_what_a_visitor_did_moves_once(world: World, api: Client) -> None:
    events = [{"user_id": "v/1", "item_id": f"i{n}", "event_type": "view"} for n in range(3)]
    assert api.post("/v1/events", {"events": events}).status == 200
    users = {"source_user_id": "v/1", "target_user_id": "ünal"}
    answer = api.post(MERGE, users)
    assert answer.status == 200
    assert answer.json | {"request_id": ""} == {
        "moved_events": 3,
        "degraded": False,
        "request_id": "",
    }
    assert api.post(MERGE, users).json["moved_events"] == 0
    assert len(world.ingest.interactions.history("shop", "ünal")) == 3


def test_a_user_merged_with_itself_keeps_everything(world: World, api: Client) -> None:
    event = {"user_id": "ann", "item_id": "i1", "event_type": "view"}
    assert api.post("/v1/events", {"events": [event]}).status == 200
    answer = api.post(MERGE, {"source_user_id": "ann", "target_user_id": "ann"})
    assert (answer.status, answer.json["moved_events"]) == (200, 0)
    assert len(world.ingest.interactions.history("shop", "ann")) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "source_user_id"),
        ([], "body"),
        ({"source_user_id": "a\0", "target_user_id": "b"}, "source_user_id"),
        ({"source_user_id": "", "target_user_id": "b"}, "source_user_id"),
        ({"source_user_id": 1, "target_user_id": "b"}, "source_user_id"),
        ({"source_user_id": "a", "target_user_id": "b", "more": 1}, "more"),
    ],
)
def test_what_cannot_be_merged_is_told_by_field(api: Client, body: object, field: str) -> None:
    answer = api.post(MERGE, body)
    assert answer.status == 422
    assert field in answer.reasons


def test_only_an_admin_merges(world: World) -> None:
    answer = world.client(world.keys["read"]).post(MERGE, {})
    assert answer.status == 403
    assert "'admin'" in answer.json["detail"]


def test_a_user_is_forgotten(world: World, api: Client) -> None:
    events = [
        {"user_id": "gone/1", "item_id": f"i{n}", "event_type": "view", "event_id": f"gone-{n}"}
        for n in range(3)
    ]
    assert api.post("/v1/events", {"events": events}).status == 200
    answer = api.send("DELETE", "/v1/users/gone%2F1")
    assert answer.status == 200
    assert answer.json | {"request_id": ""} == {
        "removed_events": 3,
        "degraded": False,
        "request_id": "",
    }
    assert world.ingest.interactions.history("shop", "gone/1") == []
    assert api.send("DELETE", "/v1/users/gone%2F1").json["removed_events"] == 0
    # An id that is forgotten is new again.
    assert api.post("/v1/events", {"events": events}).json["accepted"] == 3


def test_only_an_admin_forgets(world: World) -> None:
    answer = world.client(world.keys["read"]).send("DELETE", "/v1/users/ann")
    assert answer.status == 403


ANN = "/v1/users/ann%2F%C3%BC"


def test_attributes_are_put_read_changed_and_forgotten(api: Client) -> None:
    assert api.get(ANN).status == 404
    put = api.send("PUT", ANN, b'{"attributes": {"tier": "gold", "orders": 3, "vip": true}}')
    assert (put.status, put.json["user_id"]) == (200, "ann/\u00fc")
    patch = api.send("PATCH", ANN, b'{"attributes": {"orders": 4, "vip": null}}')
    assert patch.json["attributes"] == {"tier": "gold", "orders": 4}
    assert api.get(ANN).json == patch.json
    assert api.send("DELETE", ANN).status == 200
    assert api.get(ANN).status == 404


def test_what_is_said_of_a_visitor_is_said_of_the_customer(api: Client) -> None:
    api.send("PUT", "/v1/users/v", b'{"attributes": {"tier": "new", "language": "de"}}')
    api.send("PUT", "/v1/users/c", b'{"attributes": {"tier": "gold"}}')
    merged = api.post(MERGE, {"source_user_id": "v", "target_user_id": "c"})
    assert (merged.status, merged.json["moved_events"]) == (200, 0)
    assert api.get("/v1/users/c").json["attributes"] == {"tier": "gold", "language": "de"}
    assert api.get("/v1/users/v").status == 404


@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("PUT", b"{}", "attributes"),
        ("PUT", b"[]", "body"),
        ("PUT", b'{"attributes": {"a": null}}', "attributes.a"),
        ("PUT", b'{"attributes": {"a": [1]}}', "attributes.a"),
        ("PUT", b'{"attributes": {"": 1}}', "attributes."),
        ("PUT", b'{"attributes": {}, "email": "x"}', "email"),
        ("PATCH", b'{"attributes": {}}', "attributes"),
        ("PATCH", b'{"attributes": {"a": {}}}', "attributes.a"),
    ],
)
def test_what_cannot_be_said_of_a_user_is_told_by_field(
    api: Client, method: str, body: bytes, field: str
) -> None:
    answer = api.send(method, "/v1/users/ann", body)
    assert answer.status == 422
    assert any(problem["field"].startswith(field) for problem in answer.json["problems"])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_only_an_admin_sees_or_changes_what_is_said_of_users(world: World, method: str) -> None:
    body = b'{"attributes": {"a": 1}}' if method != "GET" else b""
    assert world.client(world.keys["read"]).send(method, "/v1/users/ann", body).status == 403
