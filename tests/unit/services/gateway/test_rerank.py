"""Items in a user's order: what is asked, refused, and answered where nobody can order them."""

from typing import Any

import pytest

from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World
from tests.unit.services.gateway.test_browsers import browser

RERANK = "/v1/items:rerank"


@pytest.mark.parametrize(
    ("target", "about"), [({"user_id": "ann"}, "user_id"), ({"session_item_ids": ["x"]}, "session")]
)
def test_a_recommender_is_asked_to_put_the_items_in_order(
    world: World, api: Client, target: dict[str, Any], about: str
) -> None:
    answer = api.post(RERANK, {**target, "item_ids": ["b", "a ☕", "b"]})
    assert answer.status == 200
    [asked] = world.recommender.asked
    assert asked.WhichOneof("about") == about
    assert list(asked.reranked_item_ids) == ["b", "a ☕", "b"]
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"item_ids": ["a"]}, "user_id"),
        ({"user_id": "a"}, "item_ids"),
        ({"user_id": "a", "item_ids": []}, "item_ids"),
        ({"user_id": "a", "item_ids": ["a"] * 501}, "item_ids"),
        ({"user_id": "a", "item_ids": ["a", ""]}, "item_ids[1]"),
        ({"user_id": "", "item_ids": ["a"]}, "user_id"),
        ({"user_id": "a", "session_item_ids": ["b"], "item_ids": ["a"]}, "session_item_ids"),
        ({"user_id": "a", "item_ids": ["a"], "item_id": "b"}, "item_id"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_asked(
    world: World, api: Client, body: object, field: str
) -> None:
    answer = api.post(RERANK, body)
    assert answer.status == 422
    assert [problem["field"] for problem in answer.json["problems"]] == [field]
    assert world.recommender.asked == []


def test_without_a_model_the_items_stay_as_they_came(world: World, api: Client) -> None:
    world.recommender.without_model = True
    answer = api.post(RERANK, {"user_id": "ann", "item_ids": ["b", "a", "b"]})
    assert answer.status == 200
    assert answer.json == {
        "item_ids": ["b", "a"],
        "unknown": [],
        "model_version": None,
        "degraded": True,
        "request_id": answer.headers["x-request-id"],
        "user_id": "ann",
    }


def test_a_session_token_orders_items_for_its_user_only(world: World) -> None:
    page = browser(world)
    assert page.post(RERANK, {"user_id": "ann", "item_ids": ["a"]}).status == 200
    answer = page.post(RERANK, {"user_id": "bob", "item_ids": ["a"]})
    assert answer.json["type"] == "/problems/other-user"
