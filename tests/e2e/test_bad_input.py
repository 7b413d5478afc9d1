"""Whatever comes in through the balancer, the answer is a 4xx problem that says what is wrong."""

import json
from typing import Any

import httpx
import pytest

from tests.e2e.shop import KNOWN_CUSTOMER, Shop, item, posted, purchase, recommendations

EVENTS = "/v1/events"
GOOD = purchase("bad-input", "22423")
QUESTION = f"/v1/users/{KNOWN_CUSTOMER}/recommendations"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The document of an answer that must be a problem of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = dict(answer.json())
    assert document["status"] == status
    assert document["title"]
    assert document["request_id"]
    return document


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_type": "teleport"}, "event_type"),
        ({"user_id": "a\0b"}, "user_id"),
        ({"user_id": "x" * 300}, "user_id"),
        ({"user_id": 17850}, "user_id"),
        ({"item_id": ""}, "item_id"),
        ({"item_id": None}, "item_id"),
        ({"event_id": "x" * 257}, "event_id"),
        ({"timestamp": "2999-01-01T00:00:00Z"}, "timestamp"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
        ({"timestamp": -1}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"price": 1e300}, "price"),
        ({"order_id": "a\nb"}, "order_id"),
        ({"surprise": 1}, "surprise"),
        ({"query": 1}, "query"),
    ],
)
def test_a_bad_event_names_its_field(
    api: httpx.Client, change: dict[str, object], field: str
) -> None:
    document = problem(api.post(EVENTS, json={"events": [GOOD | change]}), 422)

    (result,) = document["results"]
    assert result["status"] == "rejected"
    assert [found["field"] for found in result["problems"]] == [field]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "line 1"),
        (b'{"events": [', 400, "line 1"),
        (b'{"events": [{"quantity": NaN}]}', 422, "quantity"),
        (b'{"events": [{"price": Infinity}]}', 422, "price"),
        (b'{"events": "\xff"}', 400, "UTF-8"),
        (b"[" * 50_000, 400, "nested"),
        (b'{"events": []}', 422, "events"),
        (b"[]", 422, "body"),
        (json.dumps({"events": [GOOD] * 1001}).encode(), 422, "events"),
        (json.dumps({"events": [GOOD | {"order_id": "x" * 9_000_000}]}).encode(), 413, "bytes"),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else None,
)
def test_a_bad_body_says_what_is_wrong(
    api: httpx.Client, body: bytes, status: int, said: str
) -> None:
    answer = api.post(EVENTS, content=body, headers={"Content-Type": "application/json"})

    assert said in json.dumps(problem(answer, status))


def test_a_large_body_of_unknown_length_is_refused_too(api: httpx.Client) -> None:
    chunks = (b" " * 100_000 for _ in range(100))

    answer = api.post(EVENTS, content=chunks, headers={"Content-Type": "application/json"})

    problem(answer, 413)


@pytest.mark.parametrize("limit", ["0", "101", "1000000000", "-1", "NaN", "1.5", "", "9" * 1000])
def test_a_limit_out_of_bounds_is_named(api: httpx.Client, limit: str) -> None:
    document = problem(api.get(f"{QUESTION}?limit={limit}"), 422)

    assert [found["field"] for found in document["problems"]] == ["limit"]


@pytest.mark.parametrize("user_id", ["%00", "a%0Ab", "x" * 300, "%zz", "%ED%A0%80"])
def test_a_bad_id_in_the_path_is_named(api: httpx.Client, user_id: str) -> None:
    document = problem(api.get(f"/v1/users/{user_id}/recommendations"), 422)

    assert [found["field"] for found in document["problems"]] == ["user_id"]


@pytest.mark.parametrize("item_id", ["%ff", "%C3", "%zz"])
def test_an_id_in_the_query_that_is_not_utf_8_is_named(api: httpx.Client, item_id: str) -> None:
    document = problem(api.get(f"/v1/recommendations?item_id={item_id}"), 422)

    assert [found["field"] for found in document["problems"]] == ["item_id"]


@pytest.mark.parametrize("user_id", ["a%2Fb", "%E6%97%A5%E6%9C%AC", "x" * 256, "%2A", "a:b", "%20"])
def test_a_strange_but_possible_id_is_a_stranger(api: httpx.Client, user_id: str) -> None:
    answer = api.get(f"/v1/users/{user_id}/recommendations")

    assert answer.json()["source"] == "popular"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"price": -1}, "price"),
        ({"title": "x" * 1001}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"available": "no"}, "available"),
        ({"categories": [""]}, "categories.0"),
        ({"attributes": {"a": [1]}}, "attributes.a"),
        ({"item_id": "another"}, "item_id"),
        ({"colour": "red"}, "colour"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_bad_item_names_its_field(
    api: httpx.Client, method: str, body: dict[str, object], field: str
) -> None:
    document = problem(api.request(method, item("22423"), json=body), 422)

    assert field in [found["field"] for found in document["problems"]]


# Fewer wrong keys than one address may send before it is told to wait.
@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        *(("GET", QUESTION, key) for key in (None, "", "wrong", "rk_00000000_" + "0" * 64, "ü")),
        *((method, item("22423"), key) for method in ("GET", "DELETE") for key in (None, "wrong")),
        ("POST", EVENTS, None),
        ("POST", EVENTS, "wrong"),
    ],
)
def test_without_the_right_key_nothing_is_answered(
    shop: Shop, method: str, path: str, key: str | None
) -> None:
    headers = {} if key is None else {"X-API-Key": key.encode()}
    with httpx.Client(base_url=shop.stack.settings.url, trust_env=False) as stranger:
        document = problem(stranger.request(method, path, headers=headers), 401)

    assert "API key" in document["title"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/v1/users/a/b/recommendations", 404),
        ("POST", QUESTION, 405),
        ("PATCH", item("no such item"), 404),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    api: httpx.Client, method: str, path: str, status: int
) -> None:
    problem(api.request(method, path, json={"price": 1} if method == "PATCH" else None), status)


def test_after_all_that_good_requests_are_answered(api: httpx.Client) -> None:
    assert posted(api, GOOD)["accepted"] == 1
    assert api.get(recommendations(KNOWN_CUSTOMER)).status_code == 200
