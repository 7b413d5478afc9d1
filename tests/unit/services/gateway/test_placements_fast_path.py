"""A placement is answered before FastAPI as by it: status, headers, body and question alike."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from recsys.auth.session_tokens import sign_session
from recsys.core.errors import ConfigurationError, Unavailable
from recsys.core.serving.request import RecommendationRequest, UserTarget
from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.fast_path.middleware import FastPath
from services.gateway.schemas.recommendations import PLACEMENT_EXAMPLE, PlacementRequest
from tests.unit.services.gateway.asgi_client import Client, Response
from tests.unit.services.gateway.conftest import PLACEMENTS, World

HOME = "/v1/placements/home:recommend"
TOKEN = RecommendationRequest("shop", UserTarget("ann"), 1).next_page_token(["lamp"])
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
_BODIES = st.fixed_dictionaries({}, optional={n: st.sampled_from(v) for n, v in GOOD.items()})
_ODD_BODIES = st.builds(
    lambda good, odd: good | odd,
    _BODIES,
    st.dictionaries(st.sampled_from([*GOOD, "colour"]), _ODD, max_size=2),
)
_FAILURES: list[list[Exception]] = [
    [],
    [Unavailable("redis", "away")] * 2,
    [ConfigurationError("")],
]


class Watched:
    """The fast path of a world, and whether it left the last request to the application."""

    def __init__(self, world: World) -> None:
        self.left_to_application = False
        self._application: ASGIApp = world.application
        self.app = FastPath(self._pass_on, world.application.state.dependencies)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.left_to_application = True
        await self._application(scope, receive, send)


def sent(world: World, app: ASGIApp, headers: Mapping[str, str], target: str, body: bytes) -> Any:
    """The status, headers, body and question of one answer, without what no two answers share."""
    world.recommender.asked.clear()
    answer = Client(app, world.runner, headers).send("POST", target, body)
    assert int(answer.headers["content-length"]) == len(answer.body)
    same = {k: v for k, v in answer.headers.items() if k != "content-length"}
    return answer.status, same, without_chance(answer), questions(world)


def without_chance(answer: Response) -> bytes:
    body = re.sub(rb'"recommendation_id":"[\w-]{16}"', b'"recommendation_id":""', answer.body)
    return re.sub(rb'"took_ms":[0-9.]+', b'"took_ms":0', body)


def questions(world: World) -> list[pb.Question]:
    for question in world.recommender.asked:
        question.number = question.budget_ms = 0
    return list(world.recommender.asked)


def headers_of(world: World, caller: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "X-Request-ID": "r", "X-API-Key": caller}
    if caller in world.keys:
        headers["X-API-Key"] = world.keys[caller]
    elif caller == "ann":
        token = sign_session(world.session_secret, "ann", time.time() + 60)
        headers |= {"X-API-Key": world.keys["public"], "X-Session-Token": token}
    return headers


def answered_alike(
    world: World,
    target: str,
    body: bytes,
    headers: Mapping[str, str],
    failures: list[Exception] | None = None,
) -> tuple[int, bool]:
    """The status of the answer, and whether the fast path gave it; it is held to the ordinary."""
    watched, answers = Watched(world), []
    for app in (watched.app, world.application):
        world.recommender.failures = list(failures or ())
        answers.append(sent(world, app, headers, target, body))
    assert answers[0] == answers[1]
    return answers[0][0], not watched.left_to_application


@settings(max_examples=400)
@given(
    _BODIES | _ODD_BODIES,
    st.sampled_from([*PLACEMENTS, "basket"]),
    st.sampled_from(["all", "all", "ann", "read", "write", "public", "other", "wrong"]),
    st.sampled_from(_FAILURES),
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
