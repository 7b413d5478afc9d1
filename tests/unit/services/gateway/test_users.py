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
