"""Several placements in one request: what is asked for each, and what is refused."""

import json
from typing import Any

import pytest

from services.gateway.schemas.problems import UNAVAILABLE
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.backends import ANSWER_JSON
from tests.unit.services.gateway.conftest import PLACEMENTS, World

PAGE = "/v1/placements:recommend"


def test_each_placement_leaves_out_what_the_ones_before_show(world: World, api: Client) -> None:
    answer = api.post(
        PAGE,
        {
            "user_id": "ann",
            "requests": [
                {"placement": "home", "limit": 2},
                {"placement": "product_page", "item_id": "rug", "exclude_item_ids": ["a"]},
            ],
        },
    )
    assert answer.status == 200
    first, second = world.recommender.asked
    assert (first.user_id, first.limit) == ("ann", 2)
    assert tuple(first.generators) == PLACEMENTS["home"].generators
    assert list(first.excluded_item_ids) == []
    # An item of its own stands for the user of the page.
    assert (second.WhichOneof("about"), second.item_id, second.limit) == ("item_id", "rug", 20)
    assert list(second.excluded_item_ids) == ["a", "lamp", "filler"]
    found = answer.json
    assert [each["placement"] for each in found["responses"]] == ["home", "product_page"]
    expected = json.loads(ANSWER_JSON + b"}")["items"]
    assert [each["items"] for each in found["responses"]] == [expected, expected]
    assert found["responses"][0]["user_id"] == "ann"
    assert found["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "private, no-store"


SEEN_RUG = {"placement": "unseen", "item_id": "rug"}


@pytest.mark.parametrize(
    ("request_", "visitor_id"),
    [
        (SEEN_RUG, "ann"),
        ({"placement": "unseen", "session_item_ids": ["rug"]}, "ann"),
        ({"placement": "tiring", "item_id": "rug"}, "ann"),
        (SEEN_RUG | {"visitor_id": "bob"}, "bob"),
        # Of no other user is a visitor read.
        ({"placement": "unseen"}, ""),
        ({"placement": "unseen", "user_id": "cat"}, ""),
        ({"placement": "product_page", "item_id": "rug"}, ""),
    ],
)
def test_the_user_of_the_page_looks_where_a_request_names_nobody(
    world: World, api: Client, request_: dict[str, Any], visitor_id: str
) -> None:
    assert api.post(PAGE, {"user_id": "ann", "requests": [request_]}).status == 200
    assert world.recommender.asked[-1].visitor_id == visitor_id


def test_rules_for_some_users_hold_beside_an_item_of_their_page(world: World, api: Client) -> None:
    body = b'{"attributes": {"segment": "trade"}}'
    assert api.send("PUT", "/v1/users/tradesman", body).status == 200
    page = {"user_id": "tradesman", "requests": [{"placement": "traded", "item_id": "lamp"}]}
    assert api.post(PAGE, page).status == 200
    assert [boost.rule for boost in world.recommender.asked[-1].controls.boosts] == ["trade"]


def test_items_may_repeat_where_the_page_wants_it(world: World, api: Client) -> None:
    body = {"distinct": False, "requests": [{"placement": "home"}, {"placement": "home"}]}
    assert api.post(PAGE, body).status == 200
    assert [list(asked.excluded_item_ids) for asked in world.recommender.asked] == [[], []]


HOME: dict[str, Any] = {"placement": "home"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ([], ["body"]),
        ({}, ["requests"]),
        ({"requests": []}, ["requests"]),
        ({"requests": [HOME] * 11}, ["requests"]),
        ({"requests": [HOME, {}]}, ["requests.1.placement"]),
        ({"requests": [HOME, {"placement": "nowhere"}]}, ["requests.1.placement"]),
        ({"requests": [HOME, HOME | {"limit": 0}]}, ["requests.1.limit"]),
        ({"requests": [HOME | {"filter": "price <"}, HOME]}, ["requests.0.filter"]),
        ({"requests": [HOME | {"user_id": "a\0"}]}, ["requests.0.user_id"]),
        ({"requests": [HOME], "user_id": ""}, ["user_id"]),
        ({"requests": [HOME | {"item_id": "rug"}], "user_id": "a\0"}, ["user_id"]),
        ({"requests": [HOME], "user_id": "a", "item_id": "b"}, ["item_id"]),
        ({"requests": [HOME | {"user_id": "a", "item_id": "b"}]}, ["requests.0.item_id"]),
        (
            {"requests": [HOME, HOME | {"exclude_item_ids": ["a"] * 990}]},
            ["requests.1.exclude_item_ids"],
        ),
        (
            {"requests": [{"placement": "x"}, HOME | {"filter": "price"}]},
            ["requests.0.placement", "requests.1.filter"],
        ),
    ],
)
def test_a_fault_fails_the_page_before_anybody_is_asked(
    world: World, api: Client, body: object, fields: list[str]
) -> None:
    answer = api.post(PAGE, body)
    assert answer.status == 422
    assert [problem["field"] for problem in answer.json["problems"]] == fields
    assert world.recommender.asked == []


def test_a_shop_without_a_model_fills_its_page_without_an_item_twice(
    world: World, api: Client
) -> None:
    for item_id in ("paged-1", "paged-2", "paged-3"):
        assert api.send("PUT", f"/v1/items/{item_id}", b"{}").status == 200
    world.recommender.without_model = True
    body = {"requests": [{"placement": "home", "limit": 2}, {"placement": "home", "limit": 2}]}
    answer = api.post(PAGE, body)
    assert answer.status == 200
    shown = [item["item_id"] for each in answer.json["responses"] for item in each["items"]]
    assert len(set(shown)) == len(shown) > 2
    # Which items a filter lets pass nobody knows then.
    answer = api.post(PAGE, {"requests": [HOME, HOME | {"filter": "price < 5"}]})
    assert (answer.status, answer.json["type"]) == (UNAVAILABLE.status, "/problems/no-model")
