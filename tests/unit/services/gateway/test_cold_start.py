"""Shops without a model are answered by what the ingest service knows, on all routes."""

import itertools

import pytest
from jsonschema import Draft202012Validator

from recsys.auth.api_keys import KeyRing, Scope, new_key
from recsys.core.errors import Unavailable
from tests.unit.services.gateway.asgi_client import Client, Response
from tests.unit.services.gateway.conftest import MADE, World

GET_A_LIST = {
    "user": "/v1/users/ann/recommendations",
    "odd user": "/v1/users/a%20b/recommendations",
    "item": "/v1/items/lamp/similar",
    "session": "/v1/recommendations?item_id=lamp&item_id=rug",
}


_numbers = itertools.count()


@pytest.fixture
def new_shop(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of a shop of this test's own, which has no model."""
    key, text = new_key(f"newshop{next(_numbers)}", Scope, MADE)
    keys = world.application.state.dependencies.keys
    monkeypatch.setattr(keys, "authenticate", KeyRing([key]).authenticate)
    world.recommender.without_model = True
    return world.client(text)


def ids(answer: Response) -> list[str]:
    assert answer.status == 200, answer.body
    return [item["item_id"] for item in answer.json["items"]]


def put(api: Client, *item_ids: str) -> None:
    for item_id in item_ids:
        assert api.send("PUT", f"/v1/items/{item_id}", b'{"title": "Some thing"}').status == 200


def post(api: Client, user_id: str, item_id: str, event_type: str) -> None:
    event = {"user_id": user_id, "item_id": item_id, "event_type": event_type}
    assert api.post("/v1/events", {"events": [event]}).json["accepted"] == 1


@pytest.mark.parametrize("target", GET_A_LIST.values(), ids=GET_A_LIST)
def test_an_empty_shop_is_an_empty_list(new_shop: Client, target: str) -> None:
    answer = new_shop.get(target)
    assert ids(answer) == []
    members = {name: answer.json[name] for name in ("source", "model_version", "degraded")}
    assert members == {"source": "popular", "model_version": None, "degraded": True}
    assert answer.json["request_id"]


def test_items_have_the_members_they_have_with_a_model(new_shop: Client) -> None:
    put(new_shop, "lamp")
    [item] = new_shop.get(GET_A_LIST["user"]).json["items"]
    assert item == {"item_id": "lamp", "title": "Some thing", "price": None, "score": None}


def test_events_change_the_order_and_what_was_bought_does_not_come_back(new_shop: Client) -> None:
    put(new_shop, "chair", "lamp", "rug")
    post(new_shop, "bob", "rug", "view")
    post(new_shop, "ann", "lamp", "purchase")
    assert ids(new_shop.get("/v1/users/bob/recommendations")) == ["lamp", "rug", "chair"]
    assert ids(new_shop.get("/v1/users/ann/recommendations")) == ["rug", "chair"]
    assert ids(new_shop.get("/v1/users/bob/recommendations?limit=1")) == ["lamp"]


def test_neither_the_item_nor_those_of_the_session_are_in_the_list(new_shop: Client) -> None:
    put(new_shop, "chair", "lamp", "rug")
    assert ids(new_shop.get(GET_A_LIST["item"])) == ["chair", "rug"]
    assert ids(new_shop.get(GET_A_LIST["session"])) == ["chair"]


@pytest.mark.parametrize("target", GET_A_LIST.values(), ids=GET_A_LIST)
def test_without_the_ingest_service_the_problem_says_no_model_yet(
    world: World, new_shop: Client, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.ingest.servicer._cold_start, "recommend", away)
    answer = new_shop.get(target)
    assert answer.status == 503
    assert answer.json["type"] == "/problems/no-model"
    assert answer.json["title"] == "The shop has no model yet"
    assert answer.json["detail"] == "no model yet: run `recsys nightly`"


def test_the_answer_is_as_described(new_shop: Client) -> None:
    document = new_shop.get("/openapi.json").json
    put(new_shop, "lamp")
    schema = document["components"]["schemas"]["UserRecommendations"]
    validator = Draft202012Validator({**schema, "components": document["components"]})
    validator.validate(new_shop.get(GET_A_LIST["user"]).json)


def away(*_: object) -> None:
    raise Unavailable("hbase", "away")
