import json

from recsys.core.domain import Event
from recsys.core.limits import MAX_BODY_BYTES, MAX_EVENTS
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.backends import NOW_MS
from tests.unit.services.gateway.conftest import World

VIEW = {"user_id": "ann", "item_id": "lamp", "event_type": "view"}


def test_an_event_arrives_with_all_its_fields(world: World, api: Client) -> None:
    event = {
        "event_id": "e/1 ☕",
        "user_id": "whole",
        "item_id": "lamp",
        "event_type": "purchase",
        "timestamp": "2023-11-14T23:13:20.123456+01:00",
        "quantity": 2,
        "price": 9.5,
        "order_id": "o1",
        "context": {"placement": "home"},
    }
    answer = api.post("/v1/events", {"events": [event]})
    assert answer.status == 200
    assert world.ingest.interactions.history("shop", "whole") == [
        Event(
            "e/1 ☕",
            "whole",
            "lamp",
            "purchase",
            NOW_MS + 123,
            2.0,
            9.5,
            "o1",
            {"placement": "home"},
        )
    ]


def test_a_bad_entry_of_a_context_is_named(api: Client) -> None:
    contexts = [{"placement": "x" * 257}, {"a b": "home"}, {"placement": "a\0"}, {"n": 1}]
    events = [{**VIEW, "context": context} for context in contexts]
    answer = api.post("/v1/events", {"events": events})
    fields = [result["problems"][0]["field"] for result in answer.json["results"]]
    assert fields == ["context.placement", "context.a b.[key]", "context.placement", "context.n"]


def test_a_time_may_be_an_integer_of_milliseconds(world: World, api: Client) -> None:
    event = {**VIEW, "user_id": "integer", "timestamp": NOW_MS - 123}
    assert api.post("/v1/events", {"events": [event]}).json["accepted"] == 1
    [stored] = world.ingest.interactions.history("shop", "integer")
    assert stored.timestamp_ms == NOW_MS - 123


def test_good_events_are_kept_beside_bad_ones(world: World, api: Client) -> None:
    events = [
        {**VIEW, "user_id": "mixed", "event_id": "m1"},
        {**VIEW, "user_id": "mixed", "quantity": "two"},
        {**VIEW, "user_id": "mixed", "event_id": "m2", "event_type": "teleport"},
        {**VIEW, "user_id": "mixed", "event_id": "m1"},
    ]
    answer = api.post("/v1/events", {"events": events})
    assert answer.status == 200
    statuses = [result["status"] for result in answer.json["results"]]
    assert statuses == ["accepted", "rejected", "rejected", "duplicate"]
    assert [result["index"] for result in answer.json["results"]] == [0, 1, 2, 3]
    assert [result["event_id"] for result in answer.json["results"]] == ["m1", None, "m2", "m1"]
    counts = {name: answer.json[name] for name in ("accepted", "duplicate", "rejected")}
    assert counts == {"accepted": 1, "duplicate": 1, "rejected": 2}
    assert len(world.ingest.interactions.history("shop", "mixed")) == 1


def test_a_retry_counts_once(api: Client) -> None:
    batch = {"events": [{**VIEW, "user_id": "again", "event_id": "r1"}]}
    assert api.post("/v1/events", batch).json["accepted"] == 1
    assert api.post("/v1/events", batch).json["duplicate"] == 1


def test_an_event_without_id_is_told_the_one_it_got(api: Client) -> None:
    [result] = api.post("/v1/events", {"events": [VIEW]}).json["results"]
    assert result["event_id"].startswith("made-")


def test_a_thousand_events_fit(api: Client) -> None:
    assert api.post("/v1/events", {"events": [VIEW] * 1000}).json["accepted"] == 1000


def test_nothing_is_acknowledged_while_hbase_is_away(world: World, api: Client) -> None:
    world.ingest.interactions.away = True
    answer = api.post("/v1/events", {"events": [VIEW]})
    assert answer.status == 503
    assert answer.headers["retry-after"] == "3"


def test_a_thousand_events_of_nearly_eight_mebibytes_are_taken(api: Client) -> None:
    context = {f"name{n}": "ü" * 256 for n in range(14)}
    event = {"user_id": "big", "event_type": "view", "context": context}
    events = [{**event, "item_id": f"{n}-" + "ü" * 200} for n in range(MAX_EVENTS)]
    body = json.dumps({"events": events}, ensure_ascii=False).encode()
    assert 7.4 * 1024**2 < len(body) < MAX_BODY_BYTES
    answer = api.send("POST", "/v1/events", body)
    assert answer.status == 200
    assert answer.json["accepted"] == MAX_EVENTS
