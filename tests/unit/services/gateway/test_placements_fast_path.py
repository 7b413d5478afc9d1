"""A placement is answered before FastAPI as by it: status, headers, body and question alike."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.core.errors import ConfigurationError, Unavailable
from recsys.core.serving.request import RecommendationRequest, UserTarget
from services.gateway.schemas.recommendations import PLACEMENT_EXAMPLE, PlacementRequest
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.both_paths import CALLERS, Watched, answered_alike, headers_of
from tests.unit.services.gateway.conftest import PLACEMENTS, World

HOME = "/v1/placements/home:recommend"
TOKEN = RecommendationRequest(
    "shop", UserTarget("ann"), 1, PLACEMENTS["home"].generators
).next_page_token(["lamp"])
GOOD: dict[str, list[Any]] = {
    "user_id": ["ann", None, "ann ☕"],
    "item_id": [None, "lamp"],
    "session_item_ids": [[], ["b", "a"]],
    "visitor_id": [None, "ann"],
    "limit": [1, 20, 100],
    "filter": [None, "price < 5", "attributes.size = user.size"],
    "category": [[], ["Home", 'The "best"']],
    "exclude_item_ids": [[], ["lamp", "a/b"]],
    "diversity": [None, 0, 0.5],
    "max_per_category": [None, 3],
    "max_per_brand": [None, 0],
    "strict": [None, True],
    "exclude_seen_days": [None, 7],
    "exclude_event_types": [None, [], ["view"]],
    "page_token": [None, TOKEN],
    "boosts": [[], [{"filter": "price < 1", "weight": 2}]],
    "pins": [[], [{"item_id": "lamp", "position": 3}]],
    "relax_filter": [False, True],
    "window_days": [None, 0, 7],
    "explain": [False, True],
}
# Each is a fault of one field or another; so are those of another field's kind.
_ODD = st.one_of(
    st.sampled_from(
        [
            *("", "a\0", "bob", "\ud800", "price <", "user.size = 'M'", "x" * 2001, "view"),
            *(-1, 0, 2, 101, 0.5, 1e400, 10**400, float("nan"), True, None, {}, [], [1], [""]),
            *(["a"] * 1001, ["impression"], [{}], [{"filter": "price < user.x", "weight": 2}]),
            *([{"filter": "price", "weight": 1}], [{"item_id": "", "position": 101}]),
        ]
    ),
    st.text(max_size=3),
)
BODIES = st.fixed_dictionaries({}, optional={n: st.sampled_from(v) for n, v in GOOD.items()})
ODD_BODIES = st.builds(
    lambda good, odd: good | odd,
    BODIES,
    st.dictionaries(st.sampled_from([*GOOD, "colour"]), _ODD, max_size=2),
)
FAILURES: list[list[Exception]] = [
    [],
    [Unavailable("redis", "away")] * 2,
    [ConfigurationError("")],
]


@settings(max_examples=400)
@given(
    BODIES | ODD_BODIES,
    st.sampled_from([*PLACEMENTS, "basket"]),
    st.sampled_from(CALLERS),
    st.sampled_from(FAILURES),
    st.booleans(),
)
@example(dict(PLACEMENT_EXAMPLE), "home", "all", [], True)
@example({"filter": "price <"}, "home", "all", [], True)
@example({"user_id": "bob"}, "home", "ann", [], True)
def test_whatever_is_asked_is_answered_alike(
    running_world: World,
    body: dict[str, Any],
    placement: str,
    caller: str,
    failures: list[Exception],
    ascii_only: bool,
) -> None:
    world = running_world
    world.recommender.reset()
    target = f"/v1/placements/{placement}:recommend"
    text = json.dumps(body, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    status, is_fast = answered_alike(world, target, text, headers_of(world, caller), failures)
    # What is answered well never came to the application.
    assert is_fast or status != 200


def test_every_field_is_taken_before_the_application(world: World) -> None:
    assert GOOD.keys() == PlacementRequest.model_fields.keys()
    targets = "user_id", "item_id", "session_item_ids"
    for name, values in GOOD.items():
        for value in values:
            body = {name: value} if name in targets else {"user_id": "ann", name: value}
            if name == "exclude_event_types":
                body["exclude_seen_days"] = 7
            text = json.dumps(body).encode()
            answered = answered_alike(world, HOME, text, headers_of(world, "all"))
            assert answered == (200, True), body


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("home:recommend", b"{", 400),
        ("home:recommend", b"[" * 60_000, 400),
        ("home:recommend", b'{"user_id": "\xff"}', 400),
        ("home:recommend", b"{}" + b" " * 65_536, 200),
        ("home:recommend?limit=1", b"{}", 422),
        ("ho%6De:recommend", b"{}", 404),
        ("a/home:recommend", b"{}", 404),
        (":recommend", b"{}", 404),
        (f"{'a' * 65}:recommend", b"{}", 422),
    ],
)
def test_a_target_or_body_that_is_not_beyond_doubt_is_left_to_the_application(
    world: World, target: str, body: bytes, status: int
) -> None:
    headers = headers_of(world, "all")
    assert answered_alike(world, f"/v1/placements/{target}", body, headers) == (status, False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Encoding": "gzip"}, 415),
        ({"X-API-Key": ""}, 401),
    ],
)
def test_headers_that_are_not_beyond_doubt_are_left_to_the_application(
    world: World, headers: dict[str, str], status: int
) -> None:
    headers = headers_of(world, "all") | headers
    assert answered_alike(world, HOME, b"{}", headers) == (status, False)


def test_a_body_that_comes_in_parts_is_answered(api: Client) -> None:
    announced = {"Content_Length": "17"}
    parts = [b'{"user_id"', b':"ann"}']
    answer = api.send("POST", HOME, parts, announced)
    assert (answer.status, answer.json["user_id"]) == (200, "ann")
    assert api.send("POST", HOME, [b"{}", b"{"], {"Content_Length": "3"}).status == 400


def test_a_shop_without_a_model_is_answered_alike(world: World) -> None:
    world.recommender.without_model = True
    for body, status in ((b'{"user_id":"ann"}', 200), (b'{"filter":"price < 5"}', 503)):
        assert answered_alike(world, HOME, body, headers_of(world, "all")) == (status, True)


def test_a_key_that_asks_too_often_is_told_to_wait(world: World) -> None:
    headers = headers_of(world, "slow")
    watched = Client(Watched(world).app, world.runner, headers)
    answers = [watched.post(HOME, {}) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["ratelimit-policy"] == '"key";q=2;w=2'
    assert len(world.recommender.asked) == 2


def test_placements_are_counted_and_logged_as_those_of_the_application(world: World) -> None:
    api = world.client(world.keys["all"])
    route = "/v1/placements/{placement}:recommend"
    total = world.metrics.requests._total
    before = total[route, 200]._value.get()
    assert api.post(HOME, {}).status == 200
    assert total[route, 200]._value.get() == before + 1
    world.runner.run(asyncio.sleep(0.15))
    line = json.loads("".join(world.log_lines).splitlines()[-1])
    assert (line["method"], line["route"], line["status"]) == ("POST", route, 200)
