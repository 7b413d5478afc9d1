"""Experiments over REST: one choice an answer, the settings of its variant, and its name."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from recsys.core.serving.experiments import assignment
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import EXPERIMENTS, World

TESTED = "/v1/placements/tested:recommend"


def somebody(wanted: Callable[[str | None], bool]) -> str:
    """A user in a wanted variant; None stands for outside of all experiments."""
    for number in range(1000):
        found = assignment(EXPERIMENTS, "shop", "tested", f"u{number}")
        if wanted(found.variant.name if found else None):
            return f"u{number}"
    raise LookupError


FEW = somebody(lambda name: name == "few")
CONTROL = somebody(lambda name: name == "control")
OUTSIDE = somebody(lambda name: name is None)


@pytest.mark.parametrize(
    ("body", "experiment", "generators", "max_per_brand"),
    [
        ({"user_id": FEW}, {"name": "more_brands", "variant": "few"}, ["popular"], 1),
        (
            {"user_id": CONTROL},
            {"name": "more_brands", "variant": "control"},
            ["for_you", "popular"],
            0,
        ),
        # In the part of the one that was stopped.
        ({"user_id": OUTSIDE}, None, ["for_you", "popular"], 0),
        # Beside an item, and where nobody says who looks.
        (
            {"item_id": "lamp", "visitor_id": FEW},
            {"name": "more_brands", "variant": "few"},
            ["popular"],
            1,
        ),
        ({"item_id": "lamp"}, None, ["for_you", "popular"], 0),
        ({}, None, ["for_you", "popular"], 0),
        # A request says more than any variant.
        (
            {"user_id": FEW, "max_per_brand": 7},
            {"name": "more_brands", "variant": "few"},
            ["popular"],
            7,
        ),
    ],
)
def test_an_answer_is_that_of_the_shoppers_variant_and_names_it(
    world: World,
    api: Client,
    body: dict[str, Any],
    experiment: object,
    generators: list[str],
    max_per_brand: int,
) -> None:
    answer = api.post(TESTED, body)
    assert (answer.status, answer.json["experiment"]) == (200, experiment)
    [asked] = world.recommender.asked
    assert list(asked.generators) == generators
    assert asked.controls.max_per_brand == max_per_brand


def test_other_placements_and_other_shops_have_no_experiment(world: World, api: Client) -> None:
    home = api.post("/v1/placements/home:recommend", {"user_id": FEW})
    assert home.json["experiment"] is None
    other = world.client(world.keys["other"])
    assert other.post(TESTED, {"user_id": FEW}).status == 404


def test_each_placement_of_a_page_names_its_variant(world: World, api: Client) -> None:
    requests = [
        {"placement": "tested"},
        {"placement": "home"},
        {"placement": "tested", "item_id": "lamp", "visitor_id": CONTROL},
    ]
    page = api.post("/v1/placements:recommend", {"user_id": FEW, "requests": requests})
    assert page.status == 200
    found = [each["experiment"] for each in page.json["responses"]]
    assert found == [
        {"name": "more_brands", "variant": "few"},
        None,
        {"name": "more_brands", "variant": "control"},
    ]
    assert [list(asked.generators) for asked in world.recommender.asked] == [
        ["popular"],
        ["for_you", "popular"],
        ["for_you", "popular"],
    ]


def test_a_visitor_id_that_is_no_id_is_refused(api: Client) -> None:
    for wrong in ("", "a\0", 5):
        answer = api.post(TESTED, {"visitor_id": wrong})
        assert answer.status == 422
        assert [each["field"] for each in json.loads(answer.body)["problems"]] == ["visitor_id"]
