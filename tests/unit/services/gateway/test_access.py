"""Keys, request ids and what is logged."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.gateway.http.rate_limits import FAILURES_AT_ONCE, SECONDS_PER_FAILURE
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

TARGET = "/v1/users/ann/recommendations"
ROUTES = [
    ("GET", TARGET),
    ("GET", "/v1/items/lamp/similar"),
    ("GET", "/v1/items/lamp"),
    ("POST", "/v1/events"),
    ("PUT", "/v1/items/lamp"),
    ("PATCH", "/v1/items/lamp"),
    ("DELETE", "/v1/items/lamp"),
]


@pytest.mark.parametrize(("method", "target"), ROUTES)
@pytest.mark.parametrize("key", [None, "", "rk_", "rk_ab_cd", "demo", "x" * 5000, "ключ"])
def test_no_route_answers_without_a_good_key(
    world: World, method: str, target: str, key: str | None
) -> None:
    answer = world.client(key).send(method, f"{target}?limit=0")
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("ApiKey")


def test_a_key_with_another_secret_is_wrong(world: World) -> None:
    key_id = world.keys["all"].split("_")[1]
    answer = world.client(f"rk_{key_id}_{'0' * 64}").get(TARGET)
    assert answer.status == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_reading_key_cannot_write(world: World, method: str) -> None:
    target = "/v1/events" if method == "POST" else "/v1/items/lamp"
    answer = world.client(world.keys["read"]).send(method, target, b"{}")
    assert answer.status == 403
    assert ("'events:write'" if method == "POST" else "'catalogue:write'") in answer.json["detail"]


def test_a_reading_key_reads(world: World) -> None:
    assert world.client(world.keys["read"]).get(TARGET).status == 200


@pytest.mark.parametrize("given", ["abc-123", "~" * 128])
def test_a_sane_request_id_is_kept(api: Client, given: str) -> None:
    answer = api.get(TARGET, X_Request_ID=given)
    assert answer.headers["x-request-id"] == answer.json["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "é", "x" * 129, 'a"\t'])
def test_an_odd_request_id_is_replaced(api: Client, given: str) -> None:
    made = api.get("/livez", X_Request_ID=given).headers["x-request-id"]
    assert len(made) == 32
    assert made.isalnum()


def test_every_answer_has_a_request_id(api: Client) -> None:
    for target in ("/livez", "/readyz", "/nowhere", "/docs", "/openapi.json", f"{TARGET}?limit=0"):
        answer = api.get(target)
        assert answer.headers["x-request-id"]
        if answer.status >= 400:
            assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_a_request_is_one_line_without_user_or_key(world: World, api: Client) -> None:
    access_log = world.application.state.dependencies.access_log
    access_log.flush()
    world.log_lines.clear()
    with capture_logs() as lines:
        api.get("/v1/users/very-secret%20user/recommendations")
        api.get("/v1/users/very-secret-user/recommendations")
    access_log.flush()
    # Whatever else was said meanwhile, by a machine short of time for instance.
    [line] = [each for each in lines if each["event"] == "request_served"]
    hot_line = json.loads("".join(world.log_lines))
    assert line.keys() - {"log_level"} <= hot_line.keys()
    for each in (line, hot_line):
        check_line(world, each)


@pytest.mark.parametrize(
    ("key", "method", "status"),
    [(None, "GET", 401), ("rk_ab_cd", "GET", 401), ("read", "POST", 403), ("read", "HEAD", 422)],
)
def test_a_refused_request_is_logged_with_the_key_where_it_is_valid(
    world: World, key: str | None, method: str, status: int
) -> None:
    client = world.client(world.keys.get(key, key) if key else None)
    target = "/v1/events" if method == "POST" else f"{TARGET}?limit=0"
    with capture_logs() as lines:
        assert client.send(method, target).status == status
    [line] = [line for line in lines if line["event"] == "request_served"]
    assert line["status"] == status
    assert line["method"] == method
    assert line["route"] in ("/v1/events", "/v1/users/{user_id}/recommendations")
    known = key == "read"
    assert line["key_id"] == (world.keys["read"].split("_")[1] if known else None)
    assert line["tenant"] == ("shop" if known else None)


def test_failed_authentications_are_counted_by_reason(world: World) -> None:
    def counted() -> dict[str, float]:
        name = "recsys_auth_failures_total"
        value = world.metrics.registry.get_sample_value
        return {r: value(name, {"reason": r}) or 0 for r in ("missing", "wrong", "scope")}

    before = counted()
    world.client(None).get(TARGET)
    world.client("rk_ab_cd").get(TARGET)
    world.client("rk_ab_cd").get("/v1/items/lamp")
    world.client(world.keys["read"]).post("/v1/events", {})
    world.client(world.keys["all"]).get(TARGET)
    assert {reason: n - before[reason] for reason, n in counted().items()} == {
        "missing": 1,
        "wrong": 2,
        "scope": 1,
    }


def test_many_wrong_keys_from_one_address_are_told_to_wait(world: World) -> None:
    client = world.client("rk_ab_cd")
    answers = [client.get(TARGET) for _ in range(FAILURES_AT_ONCE + 2)]
    assert [answer.status for answer in answers] == [401] * FAILURES_AT_ONCE + [429, 429]
    assert answers[-1].json["type"] == "/problems/too-many-wrong-keys"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= SECONDS_PER_FAILURE
    # Behind the same address others have the right key, and somebody elsewhere mistypes it.
    assert client.get(TARGET, X_API_Key=world.keys["read"]).status == 200
    assert client.get("/v1/items/none", X_API_Key=world.keys["read"]).status == 404
    assert client.get(TARGET, X_API_Key=None).status == 401
    assert world.client("rk_ab_cd").get(TARGET).status == 401


def check_line(world: World, line: dict[str, Any]) -> None:
    assert line["event"] == "request_served"
    assert line["method"] == "GET"
    assert line["route"] == "/v1/users/{user_id}/recommendations"
    assert line["key_id"] == world.keys["all"].split("_")[1]
    assert line["tenant"] == "shop"
    assert line["status"] == 200
    assert line["duration_ms"] > 0
    assert "very-secret" not in str(line)
    assert world.keys["all"] not in str(line)


def test_what_nobody_foresaw_is_a_problem_and_logged(
    world: World, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str) -> None:
        raise ZeroDivisionError(f"secret {text}")

    monkeypatch.setattr(
        type(world.application.state.dependencies.keys),
        "authenticate",
        lambda _, text: broken(text),
    )
    with capture_logs() as lines:
        answer = api.get(TARGET)
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"secret" not in answer.body
    assert [line["event"] for line in lines] == ["request_failed", "request_served"]
