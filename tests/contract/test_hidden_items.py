"""What every HiddenItems does, real or in memory."""

import itertools

import pytest

from tests.contract.test_published_models import STRANGE_IDS
from tests.redis_fixture import Ask, ServingSide


def test_nothing_is_hidden_at_first(serving_side: ServingSide, ask: Ask) -> None:
    assert ask(serving_side.serving.hidden("shop")) == set()


def test_a_hidden_item_is_hidden_until_it_is_shown(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.hidden.hide("shop", "lamp")
    serving_side.hidden.hide("shop", "chair")
    assert ask(serving_side.serving.hidden("shop")) == {"lamp", "chair"}

    serving_side.hidden.show("shop", "lamp")
    assert ask(serving_side.serving.hidden("shop")) == {"chair"}


def test_hiding_and_showing_twice_is_once(serving_side: ServingSide, ask: Ask) -> None:
    for _ in range(2):
        serving_side.hidden.hide("shop", "lamp")
    assert ask(serving_side.serving.hidden("shop")) == {"lamp"}

    for _ in range(2):
        serving_side.hidden.show("shop", "lamp")
    assert ask(serving_side.serving.hidden("shop")) == set()


def test_what_one_tenant_hides_others_show(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.hidden.hide("shop", "lamp")

    assert ask(serving_side.serving.hidden("othershop")) == set()


@pytest.mark.parametrize("item_id", STRANGE_IDS)
def test_item_ids_are_opaque(serving_side: ServingSide, ask: Ask, item_id: str) -> None:
    serving_side.hidden.hide("shop", item_id)

    assert ask(serving_side.serving.hidden("shop")) == {item_id}


def test_a_change_can_be_told_without_reading_all(serving_side: ServingSide, ask: Ask) -> None:
    seen = [ask(serving_side.serving.hidden_changes("shop"))]
    for change in (serving_side.hidden.hide, serving_side.hidden.show, serving_side.hidden.hide):
        change("shop", "lamp")
        seen.append(ask(serving_side.serving.hidden_changes("shop")))
        serving_side.hidden.hide("othershop", "chair")
        assert ask(serving_side.serving.hidden_changes("shop")) == seen[-1]

    assert all(before != after for before, after in itertools.pairwise(seen))
