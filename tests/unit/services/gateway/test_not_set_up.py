"""A shop whose operator has something left to do: said as such, and not as an outage."""

from typing import Any

import pytest

from recsys.core.errors import NotSetUp
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.conftest import World

TABLES = "tenant shop is not set up: run recsys tables create --tenant shop"
TENANTS = "this recommender does not serve tenant shop: add it to RECSYS_TENANTS"
EVENTS = {"events": [{"user_id": "u", "item_id": "i", "event_type": "view"}]}


def test_a_shop_without_tables_is_told_what_to_run_and_not_to_try_again(
    world: World, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_tables(*_: Any) -> None:
        raise NotSetUp(TABLES)

    monkeypatch.setattr(world.ingest.interactions, "append", without_tables)
    answer = api.post("/v1/events", EVENTS)
    _assert_not_set_up(answer, TABLES)


def test_a_shop_the_recommender_does_not_serve_is_told_so(world: World, api: Client) -> None:
    world.recommender.failures = [NotSetUp(TENANTS)]
    answer = api.get("/v1/users/u/recommendations")
    _assert_not_set_up(answer, TENANTS)
    assert len(world.recommender.asked) == 1


def test_the_problem_is_described(api: Client) -> None:
    answer = api.get("/problems/not-set-up")
    assert (answer.status, answer.json["status"]) == (200, 409)


def _assert_not_set_up(answer: Any, detail: str) -> None:
    assert answer.status == 409
    assert (answer.json["type"], answer.json["detail"]) == ("/problems/not-set-up", detail)
    # A client that repeats what fails with 503 would do so for ever.
    assert "retry-after" not in answer.headers
