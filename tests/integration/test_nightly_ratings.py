"""Ratings go into a model, and its live answers, as the shop's settings say."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from recsys.config.shop import Shop, load_shop
from recsys.core.domain import Event
from recsys.core.event_types import EventType
from recsys.stores.redis.connect import connect
from recsys.stores.redis.recent import RedisRecentBehaviour
from tests.integration.conftest import Seed
from tests.integration.nightly_shop import Nightly, an_event, shop_events, shop_items

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


def rated(user_id: str, item_id: str, rating: float) -> Event:
    return replace(an_event(user_id, item_id, "rating"), rating=rating)


def opinions(user_id: str) -> list[Event]:
    """Half a star for some things of one taste, five stars for fewer of the other."""
    bad = [rated(user_id, f"a{item}", 0.5) for item in range(6)]
    return [*bad, *(rated(user_id, f"b{item}", 5.0) for item in range(3))]


@pytest.fixture(scope="module")
def seeded_shop(seed: Seed) -> str:
    """A shop of these tests' own, in which a critic rates things."""
    seed("rated", [*shop_events(), *opinions("critic")], shop_items())
    return "rated"


def shop_where(*, rating_counts: bool) -> Shop:
    shop = load_shop()
    kind = replace(shop.event_types["rating"], rating_counts=rating_counts)
    return replace(shop, event_types=shop.event_types | {"rating": kind})


def tastes(nightly: Nightly, user_id: str) -> str:
    """The tastes of the first items that the user has not rated."""
    known = {event.item_id for event in opinions(user_id)}
    answer = nightly.recommended(user_id, limit=30)
    return "".join(item_id[0] for item_id in answer if item_id not in known)[:8]


@pytest.mark.parametrize(("rating_counts", "expected"), [(False, "a" * 8), (True, "b" * 8)])
def test_a_low_rating_is_no_wish_for_more_of_it_where_ratings_count(
    nightly: Nightly,
    rating_counts: bool,
    expected: str,
) -> None:
    shop = shop_where(rating_counts=rating_counts)
    nightly.run(shop=shop)
    assert tastes(nightly, "critic") == expected

    types: Callable[[str], dict[str, EventType]] = lambda _: shop.event_types  # noqa: E731
    recent = RedisRecentBehaviour(connect(nightly.redis_url), types)
    received_ms = nightly.manifest().recipe.read_at_ms + 1
    recent.record(nightly.plan.tenant, opinions("newcomer"), received_ms)
    assert tastes(nightly, "newcomer") == expected
