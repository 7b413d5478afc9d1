"""Pages and items to put in order are answered before FastAPI as by it, in whatever goes wrong."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.core.limits import MAX_RERANKED_ITEMS
from recsys.core.serving.request import RecommendationRequest
from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.schemas.pages import PAGE_EXAMPLE, PageRequest
from services.gateway.schemas.problems import OVERLOADED, ProblemError
from services.gateway.schemas.rerank import RERANK_EXAMPLE, RerankRequest
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.both_paths import CALLERS, Watched, answered_alike, headers_of
from tests.unit.services.gateway.conftest import PLACEMENTS, World
from tests.unit.services.gateway.test_placements_fast_path import BODIES, FAILURES, ODD_BODIES

PAGE, RERANK = "/v1/placements:recommend", "/v1/items:rerank"
GOOD_PAGE = {"user_id": "ann", "requests": [{"placement": "home"}]}
GOOD_RERANK = {"user_id": "ann", "item_ids": ["lamp", "rug"]}
GOOD = {PAGE: GOOD_PAGE, RERANK: GOOD_RERANK}
_ODD_IDS = st.sampled_from(
    [None, "", "ann", "bob", "ann ☕", "a\0", "\ud800", 7, ["ann"], "x" * 257]
)
_ODD_LISTS = st.sampled_from([None, [], ["b", "a", "b"], ["a", ""], [1], "lamp", {}, ["a"] * 501])
_NAMED = st.sampled_from([*PLACEMENTS, "basket", "", "x" * 65, 7]).map(
    lambda name: {"placement": name}
)
_REQUESTS = st.lists(
    st.builds(lambda body, name: body | name, BODIES | ODD_BODIES, _NAMED | st.just({})), max_size=3
)
_PAGES = st.fixed_dictionaries(
    {},
    optional={
        "user_id": _ODD_IDS,
        "item_id": _ODD_IDS,
        "session_item_ids": _ODD_LISTS,
        "distinct": st.sampled_from([True, False, None, 1]),
        "requests": _REQUESTS | st.sampled_from([None, {}, [[]], [{"placement": "home"}] * 11]),
        "colour": st.just("red"),
    },
)
_RERANKS = st.fixed_dictionaries(
    {},
    optional={
        "user_id": _ODD_IDS,
        "session_item_ids": _ODD_LISTS,
        "item_ids": _ODD_LISTS,
        "colour": st.just("red"),
    },
)


def held_alike(
    world: World, target: str, body: object, caller: str, failures: list[Exception]
) -> None:
    world.recommender.reset()
    text = json.dumps(body).encode()
    status, is_fast = answered_alike(world, target, text, headers_of(world, caller), failures)
    # What is answered well never came to the application.
    assert is_fast or status != 200


@settings(max_examples=300)
@given(_PAGES, st.sampled_from(CALLERS), st.sampled_from(FAILURES))
@example(PAGE_EXAMPLE, "all", [])
@example(GOOD_PAGE, "ann", [])
@example({"user_id": "ann", "requests": [{"placement": "home", "user_id": "bob"}]}, "ann", [])
@example({"requests": [{"placement": "home"}, {"placement": "nowhere"}]}, "all", [])
def test_whatever_page_is_asked_for_is_answered_alike(
    running_world: World, body: dict[str, Any], caller: str, failures: list[Exception]
) -> None:
    held_alike(running_world, PAGE, body, caller, failures)


@settings(max_examples=200)
@given(_RERANKS, st.sampled_from(CALLERS), st.sampled_from(FAILURES))
@example(RERANK_EXAMPLE, "all", [])
@example(GOOD_RERANK, "ann", [])
@example({"user_id": "bob", "item_ids": ["lamp"]}, "ann", [])
@example({"user_id": "ann", "item_ids": [f"{n}" for n in range(MAX_RERANKED_ITEMS)]}, "all", [])
def test_whatever_is_put_in_order_is_answered_alike(
    running_world: World, body: dict[str, Any], caller: str, failures: list[Exception]
) -> None:
    held_alike(running_world, RERANK, body, caller, failures)


def test_every_field_is_taken_before_the_application(world: World) -> None:
    requests = GOOD_PAGE["requests"]
    page: dict[str, list[dict[str, Any]]] = {
        "user_id": [GOOD_PAGE],
        "item_id": [{"item_id": "lamp", "requests": requests}],
        "session_item_ids": [{"session_item_ids": ["lamp"], "requests": requests}],
        "distinct": [{**GOOD_PAGE, "distinct": False}],
        "requests": [{"requests": [{"placement": name, "limit": 3} for name in PLACEMENTS]}],
    }
    order: dict[str, list[dict[str, Any]]] = {
        "user_id": [GOOD_RERANK],
        "session_item_ids": [{"session_item_ids": ["lamp"], "item_ids": ["rug"]}],
        "item_ids": [{**GOOD_RERANK, "item_ids": ["a ☕", "b", "b"]}],
    }
    assert page.keys() == PageRequest.model_fields.keys()
    assert order.keys() == RerankRequest.model_fields.keys()
    for target, fields in ((PAGE, page), (RERANK, order)):
        for body in (each for bodies in fields.values() for each in bodies):
            text = json.dumps(body).encode()
            answered = answered_alike(world, target, text, headers_of(world, "all"))
            assert answered == (200, True), body


@pytest.mark.parametrize("target", [PAGE, RERANK])
@pytest.mark.parametrize(
    ("suffix", "headers", "status"),
    [
        ("", {"Content-Type": "text/plain"}, 415),
        ("", {"Content-Type": "application/json; charset=utf-8"}, 200),
        ("", {"Content-Encoding": "gzip"}, 415),
        ("", {"X-API-Key": ""}, 401),
        ("?limit=1", {}, 422),
        ("/", {}, 404),
    ],
)
def test_what_is_not_beyond_doubt_is_left_to_the_application(
    world: World, target: str, suffix: str, headers: dict[str, str], status: int
) -> None:
    text, headers = json.dumps(GOOD[target]).encode(), headers_of(world, "all") | headers
    assert answered_alike(world, target + suffix, text, headers) == (status, False)


@pytest.mark.parametrize("target", [PAGE, RERANK])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"user_id": "\xff"}', b'{"user_id": "ann", "user_id": "bob"}', b"[" * 60_000],
)
def test_a_body_that_is_no_json_is_left_to_the_application(
    world: World, target: str, body: bytes
) -> None:
    assert answered_alike(world, target, body, headers_of(world, "all")) == (400, False)


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT", "OPTIONS"])
@pytest.mark.parametrize("target", [PAGE, RERANK])
def test_another_method_is_left_to_the_application(world: World, target: str, method: str) -> None:
    watched = Watched(world)
    answer = Client(watched.app, world.runner, headers_of(world, "all")).send(method, target)
    assert (answer.status, watched.left_to_application) == (405, True)


@pytest.mark.parametrize("target", [PAGE, RERANK])
def test_a_shop_without_a_model_is_answered_alike(world: World, target: str) -> None:
    world.recommender.without_model = True
    text, headers = json.dumps(GOOD[target]).encode(), headers_of(world, "all")
    assert answered_alike(world, target, text, headers) == (200, True)


class _Overloaded:
    """Recommenders that have too much to do."""

    async def ask(self, request: RecommendationRequest) -> pb.RenderedAnswer:
        del request
        raise ProblemError(OVERLOADED, "come again", headers={"Retry-After": "1"})


@pytest.fixture
def restored(world: World) -> Iterator[World]:
    """A world whose dependencies a test may replace."""
    before = world.application.state.dependencies
    yield world
    world.application.state.dependencies = before


@pytest.mark.parametrize("target", [PAGE, RERANK])
def test_what_is_refused_under_overload_is_refused_alike_and_counted(
    restored: World, target: str
) -> None:
    state, shed = restored.application.state, restored.metrics.shed["overloaded"]
    state.dependencies = replace(state.dependencies, recommender=_Overloaded())
    before = shed._value.get()
    text, headers = json.dumps(GOOD[target]).encode(), headers_of(restored, "all")
    assert answered_alike(restored, target, text, headers) == (503, True)
    assert shed._value.get() == before + 2


def test_a_page_that_takes_too_long_is_ended_alike(restored: World) -> None:
    restored.recommender.seconds = 0.3
    state = restored.application.state
    state.dependencies = replace(state.dependencies, write_seconds=0.05)
    text, headers = json.dumps(GOOD_PAGE).encode(), headers_of(restored, "all")
    assert answered_alike(restored, PAGE, text, headers) == (504, True)


@pytest.mark.parametrize("target", [PAGE, RERANK])
def test_a_key_that_asks_too_often_is_told_to_wait(world: World, target: str) -> None:
    watched = Watched(world)
    client = Client(watched.app, world.runner, headers_of(world, "slow"))
    refused = [client.post(target, GOOD[target]) for _ in range(3)][-1]
    assert (refused.status, watched.left_to_application) == (429, False)
    assert refused.headers["ratelimit-policy"] == '"key";q=2;w=2'


@pytest.mark.parametrize("target", [PAGE, RERANK])
def test_they_are_counted_and_logged_as_those_of_the_application(
    world: World, api: Client, target: str
) -> None:
    total = world.metrics.requests._total
    before = total[target, 200]._value.get()
    assert api.post(target, GOOD[target]).status == 200
    assert total[target, 200]._value.get() == before + 1
    world.runner.run(asyncio.sleep(0.15))
    line = json.loads("".join(world.log_lines).splitlines()[-1])
    assert (line["method"], line["route"], line["status"]) == ("POST", target, 200)
