"""Whatever comes in, the answer is a clear 4xx that names what is wrong."""

import json
import re

import pytest

from recsys.core.limits import MAX_BODY_BYTES
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

GOOD = {"user_id": "ann", "item_id": "lamp", "event_type": "view"}
RECOMMENDATIONS = "/v1/users/ann/recommendations"


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"event_type": "teleport"}, "event_type", "is not one of: dislike, impression"),
        ({"user_id": None}, "user_id", "valid string"),
        ({"user_id": 12583}, "user_id", "valid string"),
        ({"user_id": ""}, "user_id", "must not be empty"),
        ({"item_id": "a\0b"}, "item_id", "control character U+0000 at position 1"),
        ({"item_id": "x" * 300}, "item_id", "at most 256"),
        ({"item_id": "\ud800"}, "item_id", "surrogate"),
        ({"user_id": " ann"}, "user_id", "must not begin or end with a space"),
        ({"item_id": "lamp\u00a0"}, "item_id", "must not begin or end with a space"),
        ({"event_id": " e1"}, "event_id", "must not begin or end with a space"),
        ({"order_id": "o1 "}, "order_id", "must not begin or end with a space"),
        ({"event_id": ""}, "event_id", "must not be empty"),
        ({"timestamp": "9999-12-31T23:59:59Z"}, "timestamp", "after 2100"),
        ({"timestamp": "2030-01-01T00:00:00Z"}, "timestamp", "24 hours in the future"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp", "before 1970"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "timestamp", "no moment"),
        ({"timestamp": "2026-01-31T12:00:00"}, "timestamp", "with a zone"),
        ({"timestamp": "1700000000000"}, "timestamp", "RFC 3339"),
        ({"timestamp": 1_700_000_000_000.5}, "timestamp", "an integer of milliseconds"),
        ({"timestamp": True}, "timestamp", "an integer of milliseconds"),
        ({"timestamp": -5}, "timestamp", "before 1970"),
        ({"timestamp": 0}, "timestamp", "counts seconds"),
        ({"timestamp": 1_700_000_000}, "timestamp", "counts seconds"),
        ({"timestamp": 4_102_444_800_001}, "timestamp", "after 2100"),
        ({"timestamp": 1_700_000_000_000_000}, "timestamp", "counts microseconds"),
        ({"timestamp": 1_700_000_000_000_000_000}, "timestamp", "counts nanoseconds"),
        ({"timestamp": 10**400}, "timestamp", "counts nanoseconds"),
        ({"quantity": -1}, "quantity", "greater than or equal to 0"),
        ({"quantity": "2"}, "quantity", "valid number"),
        ({"quantity": True}, "quantity", "valid number"),
        ({"quantity": 10**400}, "quantity", "number"),
        ({"price": {"amount": 1}}, "price", "valid number"),
        ({"colour": "red"}, "colour", "not a known field"),
        ({"rating": -1}, "rating", "greater than or equal to 0"),
        ({"rating": "five"}, "rating", "valid number"),
        ({"query": ""}, "query", "must not be empty"),
        ({"query": "x" * 501}, "query", "at most 500 are allowed"),
        ({"path": {"limit": 1}}, "path", "not a known field"),
        ({"header": None}, "header", "not a known field"),
    ],
)
def test_a_bad_event_is_rejected_with_the_field_and_the_reason(
    api: Client, change: dict[str, object], field: str, reason: str
) -> None:
    answer = api.post("/v1/events", {"events": [{**GOOD, **change}]})
    assert answer.status == 422
    assert answer.json["type"] == "/problems/invalid-input"
    [result] = answer.json["results"]
    assert result["status"] == "rejected"
    [problem] = result["problems"]
    assert problem["field"] == field
    assert reason in problem["reason"]


@pytest.mark.parametrize("event", [None, 7, "view", [], [GOOD], True])
def test_an_event_of_another_json_type_does_not_fail_the_others(api: Client, event: object) -> None:
    answer = api.post("/v1/events", {"events": [event, GOOD]})
    assert answer.status == 200
    assert [result["status"] for result in answer.json["results"]] == ["rejected", "accepted"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "events"),
        ({"events": []}, "events"),
        ({"events": {}}, "events"),
        ({"events": [GOOD] * 1001}, "events"),
        ({"events": [GOOD], "dry_run": True}, "dry_run"),
        ({"events": [GOOD], "query": 1}, "query"),
        ([GOOD], "body"),
        (None, "body"),
    ],
)
def test_a_bad_batch_is_refused_whole(api: Client, body: object, field: str) -> None:
    answer = api.post("/v1/events", body)
    assert answer.status == 422
    assert list(answer.reasons) == [field]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "line 1 column 1"),
        (b'{"events": [}', "line 1 column 13"),
        (b'{"events": "\xff"}', "byte 12 is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"1" * 10_000, "more than 4300 digits"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf{}", "a byte order mark at line 1 column 1"),
    ],
)
def test_malformed_json_is_refused_with_the_place(api: Client, body: bytes, detail: str) -> None:
    answer = api.send("POST", "/v1/events", body)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json["detail"]
    # Nothing about the language it is read with.
    assert not re.search(r"sys\.|int|utf-8-sig|Error", answer.json["detail"])


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/v1/events", '{"events": [%s], "events": [%s]}'),
        ("POST", "/v1/events", '{"events": [%s, {"user_id": "bob", "user_id": "ann"}]}'),
        ("POST", "/v1/events", '{"events": [%s], "x": {"price": 1, "pric\\u0065": 2}}'),
        ("POST", "/v1/events", '{"events": [%s], "\\ud800": 1, "\\ud800": 1}'),
        ("POST", "/v1/placements/home:recommend", '{"user_id": "ann", "user_id": "bob"}'),
        ("POST", "/v1/items:batchUpsert", '{"items": [{"item_id": "a", "item_id": "b"}]}'),
        ("PUT", "/v1/items/lamp", '{"attributes": {"colour": "red", "colour": "blue"}}'),
    ],
)
def test_a_name_that_stands_twice_in_an_object_is_refused(
    world: World, api: Client, method: str, target: str, body: str
) -> None:
    sent = body.replace("%s", json.dumps(GOOD)).encode()
    answer = api.send(method, target, sent)
    assert answer.status == 400
    assert answer.json["type"] == "/problems/malformed-json"
    assert "stands twice in one object" in answer.json["detail"]
    assert world.plain_client().send(method, target, sent).status == 400


def test_a_doubled_name_in_a_context_is_refused_by_the_fast_path_too(api: Client) -> None:
    event = json.dumps(GOOD)[:-1] + ', "context": {"placement": "home", "placement": "basket"}}'
    answer = api.send("POST", "/v1/events", f'{{"events": [{event}]}}'.encode())
    assert answer.status == 400
    assert answer.json["detail"] == 'the name "placement" stands twice in one object'


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_rejected_with_its_event_alone(api: Client, number: str) -> None:
    good = json.dumps(GOOD)
    bad = f'{good[:-1]}, "price": {number}}}'
    answer = api.send("POST", "/v1/events", f'{{"events": [{bad}, {good}]}}'.encode())
    assert answer.status == 200
    assert [result["status"] for result in answer.json["results"]] == ["rejected", "accepted"]
    assert [problem["field"] for problem in answer.json["results"][0]["problems"]] == ["price"]


def test_an_item_with_nan_is_refused_with_the_field(api: Client) -> None:
    for body, field in (
        (b'{"price": NaN}', "price"),
        (b'{"attributes": {"w": NaN}}', "attributes.w"),
    ):
        answer = api.send("PUT", "/v1/items/lamp", body)
        assert answer.status == 422
        assert list(answer.reasons) == [field]


def test_a_body_announced_as_too_large_is_not_read(api: Client) -> None:
    answer = api.send("POST", "/v1/events", b"x", {"Content-Length": "9000000"})
    assert answer.status == 413
    assert answer.chunks_read == 0


def test_reading_stops_where_an_unannounced_body_becomes_too_large(api: Client) -> None:
    chunks = (b"x" * 100_000 for _ in range(1000))
    answer = api.send("POST", "/v1/events", chunks)
    assert answer.status == 413
    assert answer.chunks_read == MAX_BODY_BYTES // 100_000 + 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": None},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_only_plain_json_is_taken(api: Client, headers: dict[str, str | None]) -> None:
    answer = api.send("POST", "/v1/events", b"{}", headers)
    assert answer.status == 415


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1000000000", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=", "limit"),
        ("limit=NaN", "limit"),
        ("limit=1.5", "limit"),
        ("limit=5&limit=6", "limit"),
        ("limt=5", "limt"),
        ("=", ""),
        ("%FF=1", "\ufffd"),
    ],
)
def test_a_bad_query_parameter_is_named(api: Client, query: str, field: str) -> None:
    answer = api.get(f"{RECOMMENDATIONS}?{query}")
    assert answer.status == 422
    assert list(answer.reasons) == [field]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("%ff", "not percent-encoded UTF-8"),
        ("%ED%A0%80", "not percent-encoded UTF-8"),
        ("%C3", "not percent-encoded UTF-8"),
        ("%zz", "% without two hexadecimal digits"),
        ("%", "% without two hexadecimal digits"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}", "not percent-encoded UTF-8"),
        ("%00", "control character U+0000"),
    ],
)
def test_an_id_in_the_query_is_refused_as_in_the_path(api: Client, value: str, reason: str) -> None:
    answer = api.get(f"/v1/recommendations?item_id=lamp&item_id={value}")
    assert answer.status == 422
    [(field, said)] = answer.reasons.items()
    assert field.startswith("item_id")
    assert reason in said


def test_an_id_of_any_script_is_taken_in_the_query(world: World, api: Client) -> None:
    assert api.get("/v1/recommendations?item_id=%C3%A9+%26%2B").status == 200
    [asked] = world.recommender.asked
    assert list(asked.session.item_ids) == ["\N{LATIN SMALL LETTER E WITH ACUTE} &+"]


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        ("%00", "control character U+0000"),
        ("a%0Ab", "control character U+000A"),
        ("x" * 300, "has 300 characters"),
        ("%zz", "% without two hexadecimal digits"),
        ("%", "% without two hexadecimal digits"),
        ("%C3", "not percent-encoded UTF-8"),
        ("%ED%A0%80", "not percent-encoded UTF-8"),
    ],
)
def test_a_bad_id_in_the_path_is_named(api: Client, segment: str, reason: str) -> None:
    answer = api.get(f"/v1/users/{segment}/recommendations")
    assert answer.status == 422
    assert reason in answer.reasons["user_id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": 5}, "title"),
        ({"title": "x" * 1001}, "title"),
        ({"title": "\ud83d"}, "title"),
        ({"title": "a\0"}, "title"),
        ({"categories": "home"}, "categories"),
        ({"categories": [""]}, "categories.0"),
        ({"price": -0.01}, "price"),
        ({"available": "no"}, "available"),
        ({"available": None}, "available"),
        ({"attributes": {"size": [1]}}, "attributes.size"),
        ({"attributes": {"size": None}}, "attributes.size"),
        ({"attributes": {"size": 10**400}}, "attributes.size"),
        ({"attributes": {"size": "\ud800"}}, "attributes.size"),
        ({"attributes": {"size": "x" * 1001}}, "attributes.size"),
        ({"attributes": {"\ud800": "x"}}, "attributes"),
        ({"attributes": {"": 1}}, "attributes"),
        ({"item_id": "other"}, "item_id"),
        ({"colour": "red"}, "colour"),
        ({"query": "red"}, "query"),
        ({"path": "red"}, "path"),
        ({"header": "red"}, "header"),
        ({"attributes": {"query": None}}, "attributes.query"),
        ([], "body"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_bad_item_is_refused_with_the_field(
    api: Client, method: str, body: object, field: str
) -> None:
    api.send("PUT", "/v1/items/lamp", b"{}")
    answer = api.send(method, "/v1/items/lamp", json.dumps(body).encode())
    assert answer.status == 422
    assert [name for name in answer.reasons if name.startswith(field)]


def test_a_wrong_type_is_named_as_json_names_it(api: Client) -> None:
    answer = api.send("PUT", "/v1/items/lamp", b'{"categories": {}, "attributes": []}')
    assert answer.status == 422
    assert answer.reasons == {
        "categories": "must be a JSON array",
        "attributes": "must be a JSON object",
    }


@pytest.mark.parametrize(
    ("target", "body", "field", "reason"),
    [
        ("/v1/events", {"events": []}, "events", "must not be empty"),
        (
            "/v1/events",
            {"events": [{}] * 1001},
            "events",
            "has 1001 entries, at most 1000 are allowed",
        ),
        ("/v1/placements/home:recommend", {"filter": ""}, "filter", "must not be empty"),
        (
            "/v1/placements/home:recommend",
            {"filter": "x" * 4001},
            "filter",
            "has 4001 characters, at most 4000 are allowed",
        ),
        (
            "/v1/items/lamp",
            {"attributes": {f"{n}": 1 for n in range(101)}},
            "attributes",
            "has 101 entries, at most 100 are allowed",
        ),
        ("/v1/items/lamp", {"attributes": {"": 1}}, "attributes.", "its name must not be empty"),
        ("/v1/items/lamp", {"categories": [""]}, "categories.0", "must not be empty"),
    ],
)
def test_a_reason_speaks_of_json_and_not_of_python(
    api: Client, target: str, body: object, field: str, reason: str
) -> None:
    method = "PUT" if target == "/v1/items/lamp" else "POST"
    answer = api.send(method, target, json.dumps(body).encode())
    assert answer.reasons == {field: reason}


def test_a_patch_of_nothing_is_refused(api: Client) -> None:
    answer = api.send("PATCH", "/v1/items/lamp", b"{}")
    assert answer.status == 422
    assert answer.reasons == {"body": "names no field to change"}


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/users//recommendations", 404),
        ("GET", "/v1/users/a/b/recommendations", 404),
        ("GET", "/v1/items/", 404),
        ("GET", "/problems/unheard-of", 404),
        ("POST", RECOMMENDATIONS, 405),
        ("GET", "/v1/events", 405),
    ],
)
def test_what_no_route_takes_is_a_problem_too(
    api: Client, method: str, target: str, status: int
) -> None:
    answer = api.send(method, target)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/v1/items/lamp", "DELETE, GET, HEAD, PATCH, PUT"),
        ("/v1/events", "POST"),
        ("/docs", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(api: Client, target: str, allowed: str) -> None:
    answer = api.send("OPTIONS", target)
    assert answer.status == 405
    assert answer.headers["allow"] == allowed


def test_many_unknown_fields_do_not_make_a_huge_answer(api: Client) -> None:
    event = {f"field-{n}-" + "x" * 500: 1 for n in range(1000)}
    answer = api.post("/v1/events", {"events": [event]})
    assert answer.status == 422
    assert len(answer.body) < 5000
