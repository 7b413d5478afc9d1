"""Contract of PurchaseLog, real and in memory, and of those who follow it."""

from typing import Any

import pytest

from recsys.clock import utc_now_ms
from recsys.core.purchases import Purchase
from recsys.core.times import MS_PER_DAY
from recsys.stores.redis import keys, purchases
from recsys.stores.redis.connect import Redis
from tests.contract.test_published_models import STRANGE_IDS
from tests.redis_fixture import Ask, ServingSide

LAMP, RUG, CHAIR = (Purchase.by("ann", item_id) for item_id in ("lamp", "rug", "chair"))


def test_who_follows_it_is_told_each_once(serving_side: ServingSide, ask: Ask[Any]) -> None:
    start_ms = utc_now_ms() - 1000
    serving_side.purchases.append("shop", [LAMP, RUG])
    position, found = ask(serving_side.serving.purchases("shop", start_ms))
    assert found == [LAMP, RUG]
    position, found = ask(serving_side.serving.purchases("shop", position))
    assert found == []
    serving_side.purchases.append("shop", [CHAIR])
    serving_side.purchases.append("othershop", [LAMP])
    position, found = ask(serving_side.serving.purchases("shop", position))
    assert found == [CHAIR]


def test_it_begins_with_a_moment(serving_side: ServingSide, ask: Ask[Any]) -> None:
    serving_side.purchases.append("shop", [LAMP])
    later_ms = utc_now_ms() + 60_000
    position, found = ask(serving_side.serving.purchases("shop", later_ms))
    assert found == []
    # Asked again at what is no position of an entry.
    assert ask(serving_side.serving.purchases("shop", position))[1] == []


@pytest.mark.parametrize("strange", STRANGE_IDS)
def test_ids_are_opaque(serving_side: ServingSide, ask: Ask[Any], strange: str) -> None:
    bought = Purchase.by(strange, strange)
    serving_side.purchases.append("shop", [bought])
    assert ask(serving_side.serving.purchases("shop", utc_now_ms() - 1000))[1] == [bought]


@pytest.mark.redis
def test_it_is_read_in_pages(
    redis_side: ServingSide, ask: Ask[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.stores.redis.serving._PURCHASES_PER_PAGE", 2)
    redis_side.purchases.append("shop", [LAMP, RUG, CHAIR])
    position, found = ask(redis_side.serving.purchases("shop", utc_now_ms() - 1000))
    assert found == [LAMP, RUG]
    assert ask(redis_side.serving.purchases("shop", position))[1] == [CHAIR]


@pytest.mark.redis
def test_it_keeps_the_latest_and_those_of_the_last_days(
    redis_side: ServingSide, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, days = keys.purchases("shop"), purchases.KEPT_DAYS
    redis.xadd(key, {"item": "old", "mark": "0"}, id=utc_now_ms() - int((days + 1) * MS_PER_DAY))
    redis_side.purchases.append("shop", [LAMP])
    assert redis.xlen(key) == 1
    assert days * 86_400 - 60 < redis.ttl(key) <= days * 86_400
    monkeypatch.setattr(purchases, "MAX_ENTRIES", 2)
    redis_side.purchases.append("shop", [LAMP, RUG, CHAIR] * 100)
    assert redis.xlen(key) < 150
