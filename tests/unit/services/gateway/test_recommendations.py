import pytest

from recsys.core.errors import ConfigurationError, InvalidInput, Unavailable
from recsys.core.errors import FieldProblem as Problem
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

TARGET = "/v1/users/ann/recommendations"


def test_an_answer_says_what_where_from_and_which_model(api: Client) -> None:
    answer = api.get(TARGET, X_Request_ID="req-1")
    assert answer.status == 200
    assert answer.json == {
        "user_id": "ann",
        "items": [
            {"item_id": "lamp", "title": "A lamp", "score": 0.5},
            {"item_id": "filler", "title": None, "score": None},
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


def test_an_unavailable_recommender_is_503_with_retry_after(world: World, api: Client) -> None:
    world.recommender.failures = [Unavailable("redis", "away", 2.5)] * 2
    answer = api.get(TARGET)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "3"
    assert "redis" not in answer.json["detail"]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (ConfigurationError("HBase has no table shop:items"), 503),
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


def test_fields_the_recommender_refuses_are_named(world: World, api: Client) -> None:
    world.recommender.failures = [InvalidInput([Problem("user_id", "is odd"), Problem("é", "x")])]
    answer = api.get(TARGET)
    assert answer.status == 422
    assert answer.reasons == {"user_id": "is odd", "é": "x"}


def test_a_slow_recommender_is_504_within_the_budget(world: World, api: Client) -> None:
    world.recommender.seconds = 3.0
    answer = api.get(TARGET)
    assert answer.status == 504
    assert answer.json["detail"] == "recommender did not answer"
