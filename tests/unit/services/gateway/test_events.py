import asyncio
import json
import time
from typing import Any

import pytest

from recsys.auth.session_tokens import sign_session
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
    assert fields == ["context.placement", "context.a b", "context.placement", "context.n"]


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


GOOD = {**VIEW, "timestamp": NOW_MS - 5}


@pytest.mark.parametrize(
    "events",
    [
        [{**GOOD, "event_id": "same", "context": {"placement": "home"}}],
        [{**GOOD, "event_id": "e 1"}, {**GOOD, "event_id": "ü☕"}, {**GOOD, "event_id": "e 1"}],
        [{**GOOD, "event_id": "known", "event_type": "teleport"}, {**GOOD, "event_id": "kept"}],
        [{**GOOD, "event_id": "alone", "event_type": "teleport"}],
        [{**GOOD, "event_id": "a\0"}],
        [{**GOOD, "event_id": "future", "timestamp": NOW_MS * 2}],
        [{**GOOD, "event_id": "two", "quantity": "two"}],
        [{**GOOD, "event_id": "unknown", "colour": "red"}],
        [],
        "none",
    ],
)
def test_good_events_are_answered_at_once_as_the_application_answers(
    world: World, api: Client, events: Any
) -> None:
    body = json.dumps({"events": events}).encode()
    # The same events again: what is known by then is so for both.
    api.send("POST", "/v1/events", body)
    hot = api.send("POST", "/v1/events", body, {"X_Request_ID": "r"})
    plain = world.plain_client().send("POST", "/v1/events", body, {"X_Request_ID": "r"})
    assert (hot.status, hot.json) == (plain.status, plain.json)
    assert hot.body == plain.body
    same = "content-type", "content-length", "x-request-id"
    assert [hot.headers[name] for name in same] == [plain.headers[name] for name in same]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Encoding": "gzip"}, 415),
        ({"X_API_Key": "wrong"}, 401),
        ({"Content_Type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_what_is_not_plainly_good_is_left_to_the_application(
    api: Client, headers: dict[str, str], status: int
) -> None:
    body = json.dumps({"events": [VIEW]}).encode()
    assert api.send("POST", "/v1/events", body, headers).status == status
    assert api.send("POST", "/v1/events?x=1", body).status == 422


def test_a_key_that_may_only_read_writes_nothing(world: World) -> None:
    reader = world.client(world.keys["read"])
    assert reader.post("/v1/events", {"events": [VIEW]}).status == 403


def test_a_body_that_comes_in_parts_is_taken(api: Client) -> None:
    body = json.dumps({"events": [VIEW]}).encode()
    announced = {"Content_Length": str(len(body))}
    answer = api.send("POST", "/v1/events", [body[:9], body[9:]], announced)
    assert answer.json["accepted"] == 1


def test_a_session_writes_events_of_its_user_and_no_other(world: World) -> None:
    token = sign_session(world.session_secret, "eve", time.time() + 60)
    page = world.client(world.keys["public"], X_Session_Token=token)
    of_eve = {**VIEW, "user_id": "eve"}
    assert page.post("/v1/events", {"events": [of_eve]}).json["accepted"] == 1
    answer = page.post("/v1/events", {"events": [of_eve, VIEW]})
    assert [result["status"] for result in answer.json["results"]] == ["accepted", "rejected"]


def test_events_that_come_together_are_recorded_together(world: World) -> None:
    appended: list[int] = []
    append = world.ingest.interactions.append

    def counted(tenant: str, events: Any, *rest: Any) -> Any:
        appended.append(len(events))
        return append(tenant, events, *rest)

    client = world.client(world.keys["all"])
    body = json.dumps({"events": [VIEW]}).encode()

    async def post() -> list[int]:
        sent = [client.request("POST", "/v1/events", body) for _ in range(20)]
        return [answer.json["accepted"] for answer in await asyncio.gather(*sent)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.ingest.interactions, "append", counted)
        assert world.runner.run(post()) == [1] * 20
    assert sum(appended) == 20
    assert len(appended) < 5


def test_events_at_once_are_counted_and_logged_as_those_of_the_application(world: World) -> None:
    api = world.client(world.keys["all"])
    total = world.metrics.requests._total["/v1/events", 200]
    before = total._value.get()
    api.post("/v1/events", {"events": [VIEW]})
    assert total._value.get() == before + 1
    api.get("/livez")
    world.runner.run(asyncio.sleep(0.15))
    line = json.loads("".join(world.log_lines).splitlines()[-1])
    assert (line["route"], line["status"]) == ("/v1/events", 200)
