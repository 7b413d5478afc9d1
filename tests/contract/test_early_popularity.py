"""Contract of EarlyPopularity, real and in memory."""

import pytest

from recsys.stores.redis import early_popularity, keys
from recsys.stores.redis.connect import Redis
from tests.contract.test_published_models import STRANGE_IDS
from tests.redis_fixture import ServingSide


def test_what_was_counted_more_is_more_popular(serving_side: ServingSide) -> None:
    popularity = serving_side.popularity
    popularity.count("shop", {"lamp": 0.2, "chair": 1.0, "rug": 0.6})
    popularity.count("shop", {"lamp": 1.0})

    assert popularity.most_popular("shop", 10) == ["lamp", "chair", "rug"]
    assert popularity.most_popular("shop", 2) == ["lamp", "chair"]


def test_equal_items_have_one_order(serving_side: ServingSide) -> None:
    serving_side.popularity.count("shop", dict.fromkeys(("b", "a", "ü", "Z"), 1.0))

    assert serving_side.popularity.most_popular("shop", 10) == ["ü", "b", "a", "Z"]


def test_what_shoppers_reject_is_not_popular(serving_side: ServingSide) -> None:
    serving_side.popularity.count("shop", {"lamp": 0.2, "chair": -2.0})
    serving_side.popularity.count("shop", {"lamp": -0.2, "chair": 1.0, "rug": 0.2})

    assert serving_side.popularity.most_popular("shop", 10) == ["rug"]


def test_of_a_tenant_that_has_counted_nothing_nothing_is_popular(serving_side: ServingSide) -> None:
    serving_side.popularity.count("shop", {"lamp": 1.0})

    assert serving_side.popularity.most_popular("othershop", 10) == []


@pytest.mark.parametrize("strange", STRANGE_IDS)
def test_ids_are_opaque(serving_side: ServingSide, strange: str) -> None:
    serving_side.popularity.count("shop", {strange: 1.0})

    assert serving_side.popularity.most_popular("shop", 10) == [strange]


@pytest.mark.redis
def test_invented_items_do_not_fill_the_store(
    redis_side: ServingSide, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_popularity, "MAX_ITEMS", 10)
    redis_side.popularity.count("shop", {"lamp": 3.0})

    redis_side.popularity.count("shop", {f"invented {number}": 0.2 for number in range(100)})

    assert redis.zcard(keys.early_popularity("shop")) == 10
    assert redis_side.popularity.most_popular("shop", 1) == ["lamp"]


@pytest.mark.redis
def test_what_was_counted_expires(redis_side: ServingSide, redis: Redis) -> None:
    redis_side.popularity.count("shop", {"lamp": 3.0})

    seconds_left = redis.ttl(keys.early_popularity("shop"))

    assert early_popularity.EXPIRE_SECONDS - 60 < seconds_left <= early_popularity.EXPIRE_SECONDS
