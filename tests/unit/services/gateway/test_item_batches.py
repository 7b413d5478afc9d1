"""Many items in a request, each for itself."""

import json

import pytest

from recsys.core.limits import MAX_BODY_BYTES, MAX_ITEMS
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

BATCH = "/v1/items:batchUpsert"


def test_items_are_stored_whole(api: Client) -> None:
    api.send("PUT", "/v1/items/batch-1", b'{"title": "before", "brand": "gone"}')
    items = [{"item_id": f"batch-{n}", "title": f"Lamp {n}", "price": n} for n in range(3)]
    answer = api.post(BATCH, {"items": items})
    assert answer.status == 200
    assert (answer.json["stored"], answer.json["rejected"]) == (3, [])
    stored = api.get("/v1/items/batch-1").json
    assert (stored["title"], stored["price"], stored["brand"]) == ("Lamp 1", 1.0, None)


def test_a_bad_item_fails_no_other_and_is_told_with_its_place(api: Client) -> None:
    bad = [
        {"item_id": "b0", "price": -1},
        "no object",
        {"title": "without an id"},
        {"item_id": "a\0b"},
        {"item_id": "good"},
        {"item_id": "b5", "attributes": {"a": [1]}},
        {"item_id": "b6", "surprise": 1},
    ]
    answer = api.post(BATCH, {"items": [{"item_id": "good", "title": "first"}, *bad]})
    assert answer.status == 200
    assert answer.json["stored"] == 1
    told = [
        (each["index"], each["item_id"], each["problems"][0]["field"])
        for each in answer.json["rejected"]
    ]
    assert told == [
        (1, "b0", "price"),
        (2, None, "item"),
        (3, None, "item_id"),
        (4, None, "item_id"),
        (5, "good", "item_id"),
        (6, "b5", "attributes.a"),
        (7, "b6", "surprise"),
    ]
    assert api.get("/v1/items/good").json["title"] == "first"


def test_a_batch_of_which_nothing_is_stored_is_a_problem_with_the_same_results(api: Client) -> None:
    answer = api.post(BATCH, {"items": [{}]})
    assert answer.status == 422
    assert answer.json["stored"] == 0
    assert answer.json["rejected"][0]["index"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"items": [{}] * (MAX_ITEMS + 1)}, "items"),
        ({"items": {}}, "items"),
        ({"items": [{}], "more": 1}, "more"),
        ([], "body"),
    ],
)
def test_a_batch_that_is_none_is_told_by_field(api: Client, body: object, field: str) -> None:
    answer = api.post(BATCH, body)
    assert answer.status == 422
    assert field in answer.reasons


def test_a_key_of_events_changes_no_item(world: World) -> None:
    assert world.client(world.keys["read"]).post(BATCH, {"items": [{}]}).status == 403


def test_a_thousand_items_of_nearly_eight_mebibytes_are_taken(api: Client) -> None:
    attributes = {f"name{n}": "ü" * 640 for n in range(6)}
    items = [{"item_id": f"big-{n}", "attributes": attributes} for n in range(MAX_ITEMS)]
    body = json.dumps({"items": items}, ensure_ascii=False).encode()
    assert 0.9 * MAX_BODY_BYTES < len(body) < MAX_BODY_BYTES
    answer = api.send("POST", BATCH, body)
    assert answer.json["stored"] == MAX_ITEMS


def test_as_many_numbers_as_fit_a_batch_are_taken(api: Client) -> None:
    # Digits become doubles on the way: no other body grows as much.
    attributes = {str(n): 1 for n in range(100)}
    items = [{"item_id": f"n{n}", "attributes": attributes} for n in range(MAX_ITEMS)]
    assert api.post(BATCH, {"items": items}).json["stored"] == MAX_ITEMS
