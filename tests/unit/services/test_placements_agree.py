"""A placement by REST and by gRPC is one request: each wish, and the variant of an experiment."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from recsys.auth.api_keys import Scope, new_key
from recsys.config.shops import Shops
from recsys.core.domain import Attribute
from recsys.core.errors import InvalidInput, NotFound, Unavailable
from recsys.core.limits import DEFAULT_LIMIT
from recsys.core.serving.placed_request import ShownPlacement
from recsys.core.serving.request import RecommendationRequest
from recsys.rpc.questions import max_bytes, request_of, write_question
from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.dependencies import Dependencies
from services.gateway.placed_recommendations import request_for, shown_to
from services.gateway.schemas.problems import UNAVAILABLE, ProblemError
from services.gateway.schemas.recommendations import read_placement
from services.recommender.named_placements import NamedPlacements

NOW_MS = 1_767_225_600_000  # 2026-01-01
_SETTINGS = """
half_life_days = 30
popularity_windows_days = [7, 30]
goals = ["buy"]
[event_types]
look = { weight = 0.2 }
buy = { weight = 1, excludes = true }

[placements.home]
generators = ["for_you", "popular"]
diversity = 0.5
max_per_brand = 3
strict = true
exclude_seen_days = 7
exclude_event_types = ["look"]
window_days = 7
[placements.product_page]
generators = ["similar", "popular"]
[placements.basket]
generators = ["bought_together", "popular"]
fatigue = { after = 3, factor = 0.5 }

[[rules]]
name = "cheap"
placements = ["home"]
action = "boost"
filter = "price < 5"
weight = 1.5
[[rules]]
name = "over"
placements = ["home"]
action = "boost"
filter = "price < 9"
weight = 2
until = 2025-01-01T00:00:00Z

[[rules]]
name = "trade"
placements = ["home"]
action = "exclude"
filter = "price < 1"
when = "user.segment = 'trade'"

[[experiments]]
name = "mixed"
placements = ["home", "product_page"]
share = 0.8
variants = [
    { name = "as_is" },
    { name = "plain", placements = { home = { diversity = 0, generators = ["popular"] } } },
]
"""
Body = dict[str, Any]
Wishes = dict[str, Any]
EQUAL: list[tuple[str, Body, Wishes]] = [
    ("home", {}, {}),
    ("home", {"user_id": "ann"}, {"user_id": "ann"}),
    ("home", {"limit": 3}, {"limit": 3}),
    (
        "product_page",
        {"item_id": "lamp", "visitor_id": "bob"},
        {"item_id": "lamp", "visitor_id": "bob"},
    ),
    (
        "product_page",
        {"session_item_ids": ["lamp", "rug"], "visitor_id": "cat"},
        {"session": pb.SessionItems(item_ids=["lamp", "rug"]), "visitor_id": "cat"},
    ),
    (
        "basket",
        {"session_item_ids": ["lamp"], "visitor_id": "bob"},
        {"session": pb.SessionItems(item_ids=["lamp"]), "visitor_id": "bob"},
    ),
    *(
        (
            name,
            {"item_id": "lamp", "visitor_id": "bob", "exclude_seen_days": days},
            {
                "item_id": "lamp",
                "visitor_id": "bob",
                "controls": pb.Controls(exclude_seen_days=days),
            },
        )
        for name in ("home", "product_page")
        for days in (0.0, 30.0)
    ),
    (
        "home",
        {"filter": "price < 5", "exclude_item_ids": ["rug"]},
        {"filter": "price < 5", "excluded_item_ids": ["rug"]},
    ),
    *(
        ("home", {name: value}, {"controls": pb.Controls(**{name: value})})
        for name, value in {
            "explain": False,
            "diversity": 0.0,
            "max_per_category": 2,
            "max_per_brand": 0,
            "strict": False,
            "exclude_seen_days": 0.0,
            "exclude_event_types": ["buy"],
            "relax_filter": True,
            "window_days": 30,
        }.items()
    ),
    (
        "home",
        {"user_id": "ann", "filter": "attributes.for = user.segment", "category": ["Lamps"]},
        {"user_id": "ann", "filter": '(attributes.for = user.segment) AND category = "Lamps"'},
    ),
    (
        "home",
        {"boosts": [{"filter": "price > 5", "weight": 0.5}]},
        {"controls": pb.Controls(boosts=[pb.Boost(filter="price > 5", weight=0.5)])},
    ),
    (
        "home",
        {"pins": [{"item_id": "lamp", "position": 2}]},
        {"controls": pb.Controls(pins=[pb.Pin(item_id="lamp", position=2)])},
    ),
]


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    (tmp_path / "shop.toml").write_text(_SETTINGS)
    return Shops(tmp_path, lambda: None)


async def attributes_of(tenant: str, user_id: str) -> dict[str, Attribute] | None:
    """Of one user the attributes cannot be had."""
    assert tenant == "shop"
    return {"ann": {"segment": "trade"}, "eve": None}.get(user_id, {})


def by_rest(shops: Shops, name: str, body: Body) -> tuple[RecommendationRequest, ShownPlacement]:
    parts = SimpleNamespace(
        placements_of=shops.placements_of,
        experiments_of=shops.experiments_of,
        event_types_of=shops.event_types_of,
        windows_of=shops.windows_of,
        user_attributes=SimpleNamespace(of=attributes_of),
        now_ms=lambda: NOW_MS,
    )
    dependencies, wanted = cast(Dependencies, parts), read_placement(body)
    target = wanted.target()
    visitor = wanted.visitor(target)
    shown = shown_to(dependencies, "shop", name, visitor)
    key, _ = new_key("shop", [Scope.READ], datetime(2026, 1, 1, tzinfo=UTC))
    asked = request_for(dependencies, key, wanted, shown, target, visitor)
    return asyncio.run(asked), shown


def by_grpc(shops: Shops, name: str, wishes: Wishes) -> tuple[RecommendationRequest, Any]:
    message = pb.RecommendRequest(
        **{"tenant": "shop", "placement": name, "limit": DEFAULT_LIMIT, **wishes}
    )
    sent = pb.RecommendRequest.FromString(message.SerializeToString())
    return asyncio.run(NamedPlacements(shops, attributes_of, lambda: NOW_MS).read(sent))


@pytest.mark.parametrize(("name", "body", "wishes"), EQUAL)
def test_each_wish_is_understood_alike(shops: Shops, name: str, body: Body, wishes: Wishes) -> None:
    assert by_grpc(shops, name, wishes) == by_rest(shops, name, body)


@pytest.mark.parametrize(
    ("name", "wishes", "visitor_id"),
    [
        ("home", {"item_id": "lamp", "visitor_id": "bob"}, "bob"),
        ("home", {"session": pb.SessionItems(item_ids=["lamp"]), "visitor_id": "bob"}, "bob"),
        ("home", {"visitor_id": "bob"}, "bob"),
        ("product_page", {"item_id": "lamp", "visitor_id": "bob"}, ""),
        ("basket", {"session": pb.SessionItems(item_ids=["lamp"]), "visitor_id": "bob"}, "bob"),
        ("basket", {"visitor_id": "bob"}, "bob"),
        ("basket", {"user_id": "ann", "visitor_id": "bob"}, ""),
        (
            "",
            {
                "item_id": "lamp",
                "visitor_id": "bob",
                "controls": pb.Controls(fatigue=pb.Fatigue(after=3, factor=0.5)),
            },
            "bob",
        ),
        (
            "product_page",
            {
                "item_id": "lamp",
                "visitor_id": "bob",
                "controls": pb.Controls(exclude_seen_days=30),
            },
            "bob",
        ),
        (
            "",
            {
                "item_id": "lamp",
                "visitor_id": "bob",
                "controls": pb.Controls(exclude_seen_days=30),
            },
            "bob",
        ),
        ("home", {"user_id": "ann", "visitor_id": "bob"}, ""),
        ("home", {"user_id": "ann"}, ""),
        ("home", {"item_id": "lamp"}, ""),
    ],
)
def test_a_request_says_who_looks_only_where_that_matters(
    shops: Shops, name: str, wishes: Wishes, visitor_id: str
) -> None:
    request, _ = by_grpc(shops, name, wishes)
    assert request.visitor_id == visitor_id
    question = pb.Question()
    write_question(question, request)
    assert question.visitor_id == visitor_id
    assert request_of(question) == request
    # Its number and budget, which come with the sending, are within what is left of the bound.
    assert question.ByteSize() <= max_bytes(request)


@pytest.mark.parametrize(
    ("who", "rules", "is_degraded"),
    [
        ({"user_id": "ann"}, ["trade"], False),
        ({"item_id": "lamp", "visitor_id": "ann"}, ["trade"], False),
        ({"user_id": "bob"}, [], False),
        ({}, [], False),
        ({"user_id": "eve"}, [], True),
    ],
)
def test_a_rule_is_for_whom_its_condition_says(
    shops: Shops, who: Wishes, rules: list[str], is_degraded: bool
) -> None:
    request, shown = by_grpc(shops, "home", who)
    assert (request, shown) == by_rest(shops, "home", who)
    assert request.controls is not None
    assert [each.rule for each in request.controls.exclusions] == rules
    assert [each.rule for each in request.controls.boosts] == ["cheap"]
    assert request.is_degraded is is_degraded
    # It leaves the gateway with its question.
    question = pb.Question()
    write_question(question, request)
    assert request_of(question) == request


def test_a_filter_has_the_users_own_value(shops: Shops) -> None:
    wishes = {"user_id": "ann", "filter": "attributes.for = user.segment"}
    request, _ = by_grpc(shops, "home", wishes)
    assert request.filter == 'attributes.for = "trade"'
    # Of whom nothing is said, nothing passes.
    request, _ = by_grpc(shops, "home", wishes | {"user_id": "bob"})
    assert request.filter == "attributes.for = user.segment"
    with pytest.raises(Unavailable):
        by_grpc(shops, "home", wishes | {"user_id": "eve"})
    with pytest.raises(ProblemError) as caught:
        by_rest(shops, "home", wishes | {"user_id": "eve"})
    assert caught.value.kind is UNAVAILABLE


def test_every_user_sees_the_same_variant(shops: Shops) -> None:
    seen = set()
    for number in range(200):
        user = {"user_id": f"u{number}"}
        request, shown = by_grpc(shops, "home", user)
        assert (request, shown) == by_rest(shops, "home", user)
        seen.add((shown.experiment and shown.experiment.variant.name, request.generators))
    assert seen == {
        (None, ("for_you", "popular")),
        ("as_is", ("for_you", "popular")),
        ("plain", ("popular",)),
    }


def test_what_is_set_to_nothing_stands_instead_of_the_settings(shops: Shops) -> None:
    plain, _ = by_grpc(shops, "home", {})
    assert plain.controls is not None
    assert plain.controls.explain
    assert (plain.controls.diversity, plain.controls.max_per_brand) == (0.5, 3)
    assert plain.controls.window_days == 7
    wanted = pb.Controls(
        diversity=0, max_per_brand=0, window_days=0, pins=[pb.Pin(item_id="lamp", position=1)]
    )
    request, _ = by_grpc(shops, "home", {"controls": wanted})
    assert request.controls is not None
    assert (request.controls.diversity, request.controls.max_per_brand) == (0, 0)
    assert request.controls.window_days == 0
    assert [boost.rule for boost in request.controls.boosts] == ["cheap"]
    assert [pin.item_id for pin in request.controls.pins] == ["lamp"]


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"generators": ["popular"]}, "generators"),
        ({"visitor_id": "a\x00"}, "visitor_id"),
        ({"limit": 0}, "limit"),
        ({"placement": "", "user_id": "ann", "visitor_id": "bob"}, "visitor_id"),
        ({"placement": "", "item_id": "lamp", "visitor_id": "bob"}, "visitor_id"),
        (
            {
                "placement": "",
                "user_id": "ann",
                "visitor_id": "bob",
                "controls": pb.Controls(exclude_seen_days=30),
            },
            "visitor_id",
        ),
        (
            {
                "placement": "",
                "item_id": "lamp",
                "visitor_id": "a\x00",
                "controls": pb.Controls(exclude_seen_days=30),
            },
            "visitor_id",
        ),
        ({"controls": pb.Controls(exclude_event_types=["teleport"])}, "exclude_event_types"),
        ({"controls": pb.Controls(window_days=8)}, "window_days"),
        (
            {"controls": pb.Controls(exclude_seen_days=0, exclude_event_types=["look"])},
            "exclude_event_types",
        ),
        (
            {
                "placement": "",
                "user_id": "ann",
                "controls": pb.Controls(exclude_event_types=["look"]),
            },
            "exclude_event_types",
        ),
        (
            {
                "placement": "",
                "user_id": "ann",
                "controls": pb.Controls(exclude_seen_days=7, exclude_event_types=["teleport"]),
            },
            "exclude_event_types",
        ),
        ({"placement": "", "user_id": "ann", "filter": "attributes.for = user.segment"}, "filter"),
        (
            {"placement": "", "user_id": "ann", "controls": pb.Controls(window_days=8)},
            "window_days",
        ),
    ],
)
def test_what_is_wrong_is_told_by_field(shops: Shops, wishes: Wishes, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        by_grpc(shops, "home", wishes)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_a_placement_that_the_shop_does_not_have_is_not_found(shops: Shops) -> None:
    with pytest.raises(NotFound, match=r"no placement 'atlantis'; it has .*home"):
        by_grpc(shops, "atlantis", {})
