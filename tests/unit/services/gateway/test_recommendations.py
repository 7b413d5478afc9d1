import asyncio

import pytest

from recsys.core.errors import ConfigurationError, NoModel, Unavailable
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

TARGET = "/v1/users/ann/recommendations"


def test_an_answer_says_what_where_from_and_which_model(api: Client) -> None:
    answer = api.get(TARGET, X_Request_ID="req-1")
    assert answer.status == 200
    assert answer.json == {
        "user_id": "ann",
        "items": [
            {"item_id": "lamp", "title": "A lamp", "price": 2.5, "score": 0.5},
            {"item_id": "filler", "title": None, "price": None, "score": None},
        ],
        "source": "fold_in",
        "model_version": "v1",
        "degraded": False,
        "request_id": "req-1",
    }


def test_similar_items_name_the_item_they_are_alike_to(api: Client) -> None:
    answer = api.get("/v1/items/lamp/similar?limit=7")
    assert answer.status == 200
    assert answer.json["item_id"] == "lamp"


def test_a_personal_answer_is_not_cached(api: Client) -> None:
    assert api.get(TARGET).headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(("query", "limit"), [("", 20), ("?limit=1", 1), ("?limit=100", 100)])
def test_the_limit_is_passed_on(world: World, api: Client, query: str, limit: int) -> None:
    api.get(TARGET + query)
    [asked] = world.recommender.asked
    assert (asked.tenant, asked.user_id, asked.limit) == ("shop", "ann", limit)


def test_the_tenant_is_that_of_the_key(world: World) -> None:
    world.client(world.keys["other"]).get(TARGET)
    assert world.recommender.asked[0].tenant == "other"


@pytest.mark.parametrize(
    ("sent", "user_id"),
    [
        ("a%2Fb", "a/b"),
        ("a%20b%3Bc%3Fd%23e%25f", "a b;c?d#e%f"),
        ("%E2%98%95%F0%9F%98%80", "☕😀"),
        ("..%2F..", "../.."),
        ("a+b", "a+b"),
        ("a;b=c,d", "a;b=c,d"),
        ("%E2%98%95" * 256, "☕" * 256),
    ],
)
def test_any_id_arrives_as_it_was_meant(world: World, api: Client, sent: str, user_id: str) -> None:
    answer = api.get(f"/v1/users/{sent}/recommendations")
    assert answer.json["user_id"] == user_id
    assert world.recommender.asked[0].user_id == user_id


def test_a_question_is_asked_once_more_when_a_replica_is_away(world: World, api: Client) -> None:
    world.recommender.failures = [Unavailable("redis", "away")]
    assert api.get(TARGET).status == 200
    assert len(world.recommender.asked) == 2


def test_a_recommender_that_stays_unavailable_is_503_with_retry_after(
    world: World, api: Client
) -> None:
    world.recommender.failures = [Unavailable("redis", "away", 2.5)] * 2
    answer = api.get(TARGET)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert "redis" not in answer.json["detail"]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (ConfigurationError("HBase has no table shop:items"), 409),
        (ZeroDivisionError("secret"), 502),
    ],
)
def test_what_is_wrong_behind_does_not_leak(
    world: World, api: Client, failure: Exception, status: int
) -> None:
    world.recommender.failures = [failure]
    answer = api.get(TARGET)
    assert answer.status == status
    assert b"secret" not in answer.body
    assert b"HBase" not in answer.body


def test_a_slow_recommender_is_504_within_the_budget_where_nothing_popular_is_known(
    world: World, api: Client
) -> None:
    world.recommender.seconds = 2.5
    answer = api.get(TARGET)
    assert answer.status == 504
    assert answer.json["detail"] == "recommender did not respond in time"


@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        "/v1/users/a.b~c-d_E9/recommendations?limit=100",
        "/v1/items/lamp/similar?limit=1",
        "/v1/users/%E2%98%95/recommendations",
        "/v1/users/a%22b%5C/recommendations?limit=7",
    ],
)
@pytest.mark.parametrize("request_id", ["req-1", 'odd"\\id'])
def test_the_fast_path_answers_byte_for_byte_as_the_application_does(
    world: World, api: Client, target: str, request_id: str
) -> None:
    hot = api.get(target, X_Request_ID=request_id)
    plain = world.plain_client().get(target, X_Request_ID=request_id)
    assert hot.status == plain.status == 200
    assert hot.body == plain.body
    assert hot.json["request_id"] == request_id
    same = "content-type", "content-length", "cache-control", "x-request-id"
    assert [hot.headers[name] for name in same] == [plain.headers[name] for name in same]
    first, second = world.recommender.asked
    first.number = second.number = first.budget_ms = second.budget_ms = 0
    assert first == second


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (TARGET + "?limit=0", 422),
        (TARGET + "?limit=101", 422),
        (TARGET + "?limit=1&limit=2", 422),
        (TARGET + "?limt=1", 422),
        ("/v1/users//recommendations", 404),
        ("/v1/users/%FF/recommendations", 422),
        ("/v1/users/a/b/recommendations", 404),
    ],
)
def test_what_is_not_beyond_doubt_is_left_to_the_application(
    world: World, api: Client, target: str, status: int
) -> None:
    hot, plain = (
        api.get(target, X_Request_ID="r"),
        world.plain_client().get(target, X_Request_ID="r"),
    )
    assert hot.status == plain.status == status
    assert hot.body == plain.body


def test_a_session_is_answered_from_the_items_in_the_request(world: World, api: Client) -> None:
    answer = api.get("/v1/recommendations?item_id=lamp&item_id=a%2Fb%20%E2%98%95&limit=5")
    assert answer.status == 200
    assert [item["item_id"] for item in answer.json["items"]] == ["lamp", "filler"]
    [asked] = world.recommender.asked
    assert (list(asked.session.item_ids), asked.limit) == (["lamp", "a/b ☕"], 5)


@pytest.mark.parametrize("query", ["", "?item_id=", "?" + "&".join(["item_id=a"] * 101)])
def test_a_session_without_items_or_with_too_many_is_422(api: Client, query: str) -> None:
    assert api.get("/v1/recommendations" + query).status == 422


def test_requests_that_come_together_share_a_question(world: World) -> None:
    async def ask() -> None:
        client = world.client(world.keys["all"])
        await asyncio.gather(*(client.request("GET", TARGET) for _ in range(10)))

    world.runner.run(ask())
    assert world.recommender.requests == [10]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/ann/recommendations?",
        "/v1/items/lamp/similar?",
        "/v1/recommendations?item_id=lamp&",
    ],
)
def test_a_filter_and_excluded_items_reach_the_recommender(
    world: World, api: Client, path: str
) -> None:
    query = "filter=price+%3C%3D%2020%20AND%20brand%3D%22%C3%9C%22&exclude_item_id=a%2Fb&limit=3"
    answer = api.get(f"{path}{query}&exclude_item_id=c")
    assert answer.status == 200
    [asked] = world.recommender.asked
    assert asked.filter == 'price <= 20 AND brand="Ü"'
    assert list(asked.excluded_item_ids) == ["a/b", "c"]
    assert asked.limit == 3


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("filter=price+%3E", "filter", "ends too early: expected a number"),
        ("filter=colour+%3D+1", "filter", "at character 1: unknown field 'colour'"),
        ("filter=", "filter", ""),
        (f"filter={1001 * 'x'}", "filter", ""),
        ("filter=price%3D1&filter=price%3D2", "filter", "must not be given twice"),
        ("exclude_item_id=", "exclude_item_id.0", "must not be empty"),
        (
            "&".join(f"exclude_item_id={number}" for number in range(101)),
            "exclude_item_id",
            "",
        ),
    ],
)
def test_what_is_wrong_with_a_wish_is_said_and_nobody_is_asked(
    world: World, api: Client, query: str, field: str, reason: str
) -> None:
    answer = api.get(f"{TARGET}?{query}")
    assert answer.status == 422
    [problem] = answer.json["problems"]
    assert problem["field"] == field
    assert problem["reason"].startswith(reason)
    assert world.recommender.asked == []


def test_a_filter_is_never_answered_with_what_it_may_not_let_pass(
    world: World, api: Client
) -> None:
    world.recommender.failures = [Unavailable("redis", "away")] * 4
    assert api.get(f"{TARGET}?filter=price%3D1").status == 503
    world.recommender.failures = [NoModel("no model yet")]
    answer = api.get(f"{TARGET}?filter=price%3D1")
    assert (answer.status, answer.json["type"]) == (503, "/problems/no-model")
