"""Placements: whose they are, what is asked of a recommender for them, and what is refused."""

import json
from typing import Any

import pytest

from recsys.core.serving.request import RecommendationRequest, SessionTarget, UserTarget
from recsys.rpc.user_attributes import UserAttributes
from services.gateway.upstream.popular_snapshot import PopularSnapshots
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.backends import ANSWER_JSON, SNAPSHOT
from tests.unit.services.gateway.both_paths import answered_alike, headers_of
from tests.unit.services.gateway.conftest import PLACEMENTS, World

HOME = "/v1/placements/home:recommend"


def test_a_placement_asks_for_its_generators_with_all_wishes(world: World, api: Client) -> None:
    answer = api.post(
        HOME,
        {
            "user_id": "ann ☕",
            "limit": 7,
            "filter": "price < 5",
            "exclude_item_ids": ["lamp", "a/b"],
        },
    )
    assert answer.status == 200
    [asked] = world.recommender.asked
    assert (asked.user_id, asked.limit, asked.filter) == ("ann ☕", 7, "price < 5")
    assert tuple(asked.generators) == PLACEMENTS["home"].generators
    assert list(asked.excluded_item_ids) == ["lamp", "a/b"]
    assert (answer.json["placement"], answer.json["user_id"]) == ("home", "ann ☕")
    assert answer.body.startswith(ANSWER_JSON)
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("body", "about", "value"),
    [
        ({"item_id": "lamp"}, "item_id", "lamp"),
        ({"session_item_ids": ["b", "a"]}, "session", ["b", "a"]),
        ({}, "session", []),
    ],
)
def test_it_is_about_an_item_a_session_or_nobody(
    world: World, api: Client, body: dict[str, Any], about: str, value: object
) -> None:
    assert api.post("/v1/placements/product_page:recommend", body).status == 200
    [asked] = world.recommender.asked
    assert asked.WhichOneof("about") == about
    found = getattr(asked, about)
    assert (list(found.item_ids) if about == "session" else found) == value
    assert asked.limit == 20


def test_a_name_that_the_shop_has_not_given_is_not_found(world: World, api: Client) -> None:
    answer = api.post("/v1/placements/basket:recommend", {})
    assert answer.status == 404
    known = "empty, home, product_page, ruled, tested, tiring, traded, unseen"
    assert answer.json["detail"] == f"this shop has no placement 'basket'; it has {known}"
    assert world.recommender.asked == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"user": "ann"}, "user"),
        ({"user_id": "ann", "item_id": "lamp"}, "item_id"),
        ({"item_id": "lamp", "session_item_ids": ["a"]}, "session_item_ids"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "a\0"}, "user_id"),
        ({"limit": 0}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"filter": "price"}, "filter"),
        ({"filter": ""}, "filter"),
        ({"session_item_ids": ["a"] * 101}, "session_item_ids"),
        ({"exclude_item_ids": ["a"] * 1001}, "exclude_item_ids"),
        ({"exclude_item_ids": ["a\x07"]}, "exclude_item_ids[0]"),
        ({"diversity": 1.1}, "diversity"),
        ({"max_per_brand": -1}, "max_per_brand"),
        ({"max_per_category": 101}, "max_per_category"),
        ({"strict": 1}, "strict"),
        ({"exclude_seen_days": 31}, "exclude_seen_days"),
        ({"exclude_event_types": ["impression"]}, "exclude_event_types"),
        ({"exclude_event_types": ["view"]}, "exclude_event_types"),
        ({"exclude_event_types": ["view"], "exclude_seen_days": 0}, "exclude_event_types"),
        ({"page_token": "damaged"}, "page_token"),
        ({"page_token": ""}, "page_token"),
        ({"boosts": [{"filter": "price <", "weight": 2}]}, "boosts.0.filter"),
        ({"boosts": [{"filter": "price < 1", "weight": 0}]}, "boosts.0.weight"),
        ({"boosts": [{"filter": "price < 1"}]}, "boosts.0.weight"),
        ({"boosts": [{"filter": "price < 1", "weight": 2}] * 51}, "boosts"),
        ({"pins": [{"item_id": "lamp"}]}, "pins.0.position"),
        ({"pins": [{"item_id": "lamp", "position": 0}]}, "pins.0.position"),
        ({"pins": [{"item_id": "lamp", "position": 101}]}, "pins.0.position"),
        ({"pins": [{"item_id": "", "position": 1}]}, "pins.0.item_id"),
        ({"pins": [{"item_id": "lamp", "position": 1, "rule": "x"}]}, "pins.0.rule"),
        ({"pins": [{"item_id": "lamp", "position": 1}] * 51}, "pins"),
        ({"relax_filter": 1}, "relax_filter"),
        ({"window_days": -1}, "window_days"),
        ({"window_days": 2}, "window_days"),
        ({"window_days": "7"}, "window_days"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_asked(
    world: World, api: Client, body: object, field: str
) -> None:
    answer = api.post(HOME, body)
    assert answer.status == 422
    assert [problem["field"] for problem in answer.json["problems"]] == [field]
    assert world.recommender.asked == []


def test_popular_items_that_stand_in_say_where_they_come_from() -> None:
    snapshots = PopularSnapshots()
    snapshots.take(SNAPSHOT)
    asked = RecommendationRequest(
        "shop", SessionTarget(("1",)), 2, placement=("for_you",), excluded_item_ids=("0",)
    )
    answer = snapshots.answer(asked)
    assert answer is not None
    assert json.loads(answer.json + b"}")["fallback_level"] == 3
    items = json.loads(answer.json + b"}")["items"]
    assert [(item["item_id"], item["source"]) for item in items] == [
        ("2", "popular"),
        ("3", "popular"),
    ]


def test_a_shop_without_a_model_fills_its_placements_with_its_catalogue(
    world: World, api: Client
) -> None:
    assert api.send("PUT", "/v1/items/rug", b'{"title": "Rug", "price": 9.5}').status == 200
    world.recommender.without_model = True
    answer = api.post(HOME, {"exclude_item_ids": ["lamp"]})
    assert (answer.status, answer.json["degraded"]) == (200, True)
    found = {item["item_id"]: item for item in answer.json["items"]}
    assert found["rug"] == {
        "item_id": "rug",
        "title": "Rug",
        "price": 9.5,
        "score": None,
        "source": "popular",
        "reason": {"code": "popular", "seeds": []},
        "score_parts": {},
    }
    assert answer.json["fallback_level"] == 3


def test_answers_of_placements_are_explained_unless_they_need_not_be(
    world: World, api: Client
) -> None:
    for body, is_explained in (({}, True), ({"explain": False}, False)):
        answer = api.post(HOME, body)
        assert world.recommender.asked[-1].controls.explain is is_explained
        assert len(answer.json["recommendation_id"]) == 16
        assert answer.json["took_ms"] > 0
    assert api.post(HOME, {"explain": "yes"}).status == 422


def test_a_simple_route_is_explained_when_asked_and_its_plain_answer_is_as_before(
    world: World, api: Client
) -> None:
    plain = api.get("/v1/users/ann/recommendations")
    assert plain.body.startswith(ANSWER_JSON + b',"request_id":')
    assert "recommendation_id" not in plain.json
    explained = api.get("/v1/users/ann/recommendations?explain=true")
    assert world.recommender.asked[-1].controls.explain
    assert (
        explained.json["recommendation_id"]
        != api.get("/v1/users/ann/recommendations?explain=true").json["recommendation_id"]
    )
    assert api.get("/v1/users/ann/recommendations?explain=1").status == 422


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"category": ["Home", 'The "best"']}, r'category = "Home" AND category = "The \"best\""'),
        (
            {"category": ["Home"], "filter": "price < 5 OR brand = 'a'"},
            "(price < 5 OR brand = 'a') AND category = \"Home\"",
        ),
    ],
)
def test_a_category_is_a_filter_of_its_path(
    world: World, api: Client, wishes: dict[str, Any], expected: str
) -> None:
    assert api.post(HOME, wishes).status == 200
    assert world.recommender.asked[0].filter == expected


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"category": "Home"}, "category"),
        ({"category": ["a"] * 11}, "category"),
        # Neither is a filter, though both would be parts of one.
        ({"category": ["Home"], "filter": "price < 5) OR (price > 9"}, "filter"),
        ({"category": ["Home"], "filter": "price <"}, "filter"),
    ],
)
def test_what_is_wrong_with_a_category_is_said(
    world: World, api: Client, wishes: dict[str, Any], field: str
) -> None:
    answer = api.post(HOME, wishes)
    assert answer.status == 422
    assert [problem["field"] for problem in answer.json["problems"]] == [field]
    assert world.recommender.asked == []


def test_a_placement_has_the_controls_and_rules_of_the_settings_that_hold_now(
    world: World, api: Client
) -> None:
    answer = api.post("/v1/placements/ruled:recommend", {})
    assert answer.status == 200
    controls = world.recommender.asked[-1].controls
    assert (controls.diversity, controls.max_per_brand, controls.max_per_category) == (0.5, 2, 0)
    [boost] = controls.boosts
    assert (boost.filter, boost.weight, boost.rule) == ("price < 5", 2.0, "sale")


def test_a_request_overrules_controls_of_the_settings_and_adds_boosts_and_pins(
    world: World, api: Client
) -> None:
    body = {
        "diversity": 0,
        "max_per_category": 3,
        "strict": True,
        "boosts": [{"filter": "price > 7", "weight": 0.5}],
        "pins": [{"item_id": "lamp ☕", "position": 3}],
        "relax_filter": True,
    }
    assert api.post("/v1/placements/ruled:recommend", body).status == 200
    controls = world.recommender.asked[-1].controls
    assert (controls.diversity, controls.max_per_brand, controls.max_per_category) == (0, 2, 3)
    assert controls.strict
    assert [boost.rule for boost in controls.boosts] == ["sale", ""]
    assert [(pin.item_id, pin.position) for pin in controls.pins] == [("lamp ☕", 3)]
    assert controls.relax_filter


def test_a_page_token_goes_with_the_question_and_its_items_are_no_filler(
    world: World, api: Client
) -> None:
    home = PLACEMENTS["home"].generators
    first = RecommendationRequest("shop", UserTarget("ann"), 1, home)
    token = first.next_page_token(["0"])
    body = {"user_id": "ann", "page_token": token, "exclude_seen_days": 7}
    assert api.post(HOME, body | {"exclude_event_types": ["view"]}).status == 200
    asked = world.recommender.asked[-1]
    assert (asked.page_token, asked.controls.exclude_seen_days) == (token, 7)
    assert asked.controls.exclude_event_types == ["view"]
    snapshots = PopularSnapshots()
    snapshots.take(SNAPSHOT)
    second = RecommendationRequest("shop", UserTarget("ann"), 1, home, page_token=token)
    answer = snapshots.answer(second)
    assert answer is not None
    written = json.loads(answer.json + b"}")
    assert [item["item_id"] for item in written["items"]] == ["1"]
    assert written["next_page_token"] == ""
    assert api.post(HOME, {"user_id": "bob", "page_token": token}).status == 422
    other = "/v1/placements/product_page:recommend"
    assert api.post(other, {"user_id": "ann", "page_token": token}).status == 422


ITEM = {"item_id": "lamp"}
SESSION = {"session_item_ids": ["lamp", "rug"]}
SEEN = {"exclude_seen_days": 30, "exclude_event_types": ["purchase"]}


@pytest.mark.parametrize(
    ("path", "body", "visitor_id"),
    [
        (HOME, ITEM | SEEN | {"visitor_id": "bob"}, "bob"),
        (HOME, SESSION | SEEN | {"visitor_id": "bob"}, "bob"),
        (HOME, SEEN | {"visitor_id": "bob"}, "bob"),
        ("/v1/placements/unseen:recommend", ITEM | {"visitor_id": "bob"}, "bob"),
        ("/v1/placements/tiring:recommend", ITEM | {"visitor_id": "bob"}, "bob"),
        ("/v1/placements/tiring:recommend", SESSION | {"visitor_id": "bob"}, "bob"),
        ("/v1/placements/tiring:recommend", {"user_id": "ann", "visitor_id": "bob"}, ""),
        # By whose events nothing is left out, or all is read of whom the list is for anyway.
        (HOME, ITEM | {"visitor_id": "bob"}, ""),
        (HOME, ITEM | {"visitor_id": "bob", "exclude_seen_days": 0}, ""),
        (
            "/v1/placements/unseen:recommend",
            ITEM | {"visitor_id": "bob", "exclude_seen_days": 0},
            "",
        ),
        (HOME, {"user_id": "ann", "visitor_id": "bob"} | SEEN, ""),
        (HOME, {"user_id": "ann"} | SEEN, ""),
        (HOME, ITEM | SEEN, ""),
        (HOME, SEEN, ""),
    ],
)
def test_a_question_says_who_looks_only_where_that_matters(
    world: World, api: Client, path: str, body: dict[str, Any], visitor_id: str
) -> None:
    assert answered_alike(world, path, json.dumps(body).encode(), headers_of(world, "all")) == (
        200,
        True,
    )
    assert world.recommender.asked[-1].visitor_id == visitor_id
    name = path.removeprefix("/v1/placements/").removesuffix(":recommend")
    page = {"requests": [{"placement": name, **body}]}
    assert api.post("/v1/placements:recommend", page).status == 200
    assert world.recommender.asked[-1].visitor_id == visitor_id


def test_of_a_page_with_a_session_token_its_user_looks(world: World) -> None:
    headers = headers_of(world, "ann")
    for body, visitor_id in ((ITEM | SEEN, "ann"), (ITEM, ""), ({"user_id": "ann"} | SEEN, "")):
        text = json.dumps(body).encode()
        assert answered_alike(world, HOME, text, headers) == (200, True)
        assert world.recommender.asked[-1].visitor_id == visitor_id
    text = json.dumps(ITEM | SEEN | {"visitor_id": "bob"}).encode()
    assert answered_alike(world, HOME, text, headers)[0] == 403


def test_a_window_is_asked_for_and_another_one_is_told_which_there_are(
    world: World, api: Client
) -> None:
    assert api.post(HOME, {"window_days": 7}).status == 200
    assert world.recommender.asked[0].controls.window_days == 7
    [problem] = api.post(HOME, {"window_days": 30}).json["problems"]
    assert problem["reason"] == "30 is not one of the windows that this shop counts: 1, 7"


def test_a_rule_depends_on_what_the_shop_says_of_the_user(world: World, api: Client) -> None:
    body = b'{"attributes": {"segment": "trade"}}'
    assert api.send("PUT", "/v1/users/tradesman", body).status == 200
    path = "/v1/placements/traded:recommend"
    for who in ({"user_id": "tradesman"}, {"item_id": "lamp", "visitor_id": "tradesman"}):
        assert api.post(path, who).status == 200
        assert [boost.rule for boost in world.recommender.asked[-1].controls.boosts] == ["trade"]
    page = {"requests": [{"placement": "traded", "user_id": "tradesman"}]}
    assert api.post("/v1/placements:recommend", page).status == 200
    assert [boost.rule for boost in world.recommender.asked[-1].controls.boosts] == ["trade"]
    for other in ({"user_id": "ann"}, {}):
        assert api.post(path, other).status == 200
        assert not world.recommender.asked[-1].controls.boosts
        assert not world.recommender.asked[-1].degraded


def test_who_cannot_be_looked_up_gets_an_answer_without_the_rule_that_says_so(
    world: World, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def out_of_reach(*_: object) -> None:
        """As when ingest does not respond in time."""

    monkeypatch.setattr(UserAttributes, "of", out_of_reach)
    assert api.post("/v1/placements/traded:recommend", {"user_id": "tradesman"}).status == 200
    [asked] = world.recommender.asked
    assert (len(asked.controls.boosts), asked.degraded) == (0, True)


def test_a_filter_has_the_users_own_value_and_the_recommender_sees_no_other(
    world: World, api: Client
) -> None:
    body = b'{"attributes": {"size": "M", "budget": 5}}'
    assert api.send("PUT", "/v1/users/tailored", body).status == 200
    wishes = {
        "filter": "attributes.size = user.size",
        "boosts": [{"filter": "price < user.budget", "weight": 2}],
    }
    assert api.post(HOME, {"user_id": "tailored", **wishes}).status == 200
    [asked] = world.recommender.asked
    assert (asked.filter, asked.degraded) == ('attributes.size = "M"', False)
    assert [boost.filter for boost in asked.controls.boosts] == ["price < 5.0"]


def test_a_filter_whose_values_cannot_be_had_is_a_503_and_a_boost_is_left_out(
    world: World, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def out_of_reach(*_: object) -> None:
        """As when ingest does not respond in time."""

    monkeypatch.setattr(UserAttributes, "of", out_of_reach)
    answer = api.post(HOME, {"user_id": "tailored", "filter": "price < user.budget"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert world.recommender.asked == []
    boosts = [{"filter": "price < user.budget", "weight": 2}, {"filter": "price < 1", "weight": 2}]
    assert api.post(HOME, {"user_id": "tailored", "boosts": boosts}).status == 200
    [asked] = world.recommender.asked
    assert [boost.filter for boost in asked.controls.boosts] == ["price < 1"]
    assert asked.degraded


def test_a_route_without_a_placement_takes_no_values_of_the_user(api: Client) -> None:
    answer = api.get("/v1/users/ann/recommendations?filter=price%20%3C%20user.budget")
    assert answer.status == 422
    [problem] = answer.json["problems"]
    assert problem["field"] == "filter"
    assert "for filters of placements" in problem["reason"]
