"""Contract of RecentBehaviour, real and in memory."""

import pytest

from recsys.core.behaviour import (
    MAX_IMPRESSIONS,
    MAX_RECENT_EVENTS,
    MAX_RECENT_EXCLUSIONS,
    Impression,
    RecentEvent,
)
from recsys.core.domain import Event, ReceivedEvent
from recsys.core.event_types import EventType
from recsys.core.ports import UserLookup
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis
from recsys.stores.redis.recent import EXPIRE_SECONDS, RedisRecentBehaviour
from tests.contract.test_published_models import STRANGE_IDS
from tests.redis_fixture import Ask, ServingSide


def an_event(number: int = 1, user_id: str = "ann", **changes: object) -> Event:
    fields = {"item_id": f"i{number}", "event_type": "view", "timestamp_ms": number} | changes
    return Event(event_id=f"e{number}", user_id=user_id, **fields)


def recent(
    side: ServingSide, ask: Ask, user_id: str = "ann", tenant: str = "shop"
) -> list[RecentEvent]:
    _, events = ask(side.user(tenant, "v1", user_id))
    return events  # type: ignore[no-any-return]


def test_an_event_comes_back_with_its_two_times(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.recent.record("shop", [an_event(5)], received_ms=1_800_000_000_123)

    assert recent(serving_side, ask) == [RecentEvent("i5", "view", 5, 1_800_000_000_123)]


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("order", {"quantity": 3.0, "price": 0.1}),
        ("order", {"quantity": 0.0}),
        ("order", {"price": 2.5}),
        ("order", {}),
        ("review", {"rating": 1.0}),
    ],
)
def test_quantity_and_price_come_back_where_they_count(
    serving_side: ServingSide, ask: Ask, kind: str, details: dict[str, float]
) -> None:
    serving_side.recent.record("shop", [an_event(5, event_type=kind, **details)], received_ms=9)

    assert recent(serving_side, ask) == [RecentEvent("i5", kind, 5, 9, **details)]


def test_quantity_and_price_of_other_types_are_left_out(
    serving_side: ServingSide, ask: Ask
) -> None:
    bought = an_event(5, event_type="purchase", quantity=3.0, price=0.1)
    serving_side.recent.record("shop", [bought], received_ms=9)

    assert recent(serving_side, ask) == [RecentEvent("i5", "purchase", 5, 9)]


@pytest.mark.redis
def test_an_event_remembered_before_and_after_its_quantity_counted_counts_once(
    redis_side: ServingSide, redis: Redis, ask: Ask
) -> None:
    ordered = an_event(5, event_type="order", quantity=3.0)
    before = RedisRecentBehaviour(redis, lambda _: {"order": EventType(1.0, excludes=True)})
    before.record("shop", [ordered], received_ms=9)

    redis_side.recent.restore("shop", [ReceivedEvent(ordered, 9)])
    before.record("shop", [ordered], received_ms=9)

    assert recent(redis_side, ask) == [RecentEvent("i5", "order", 5, 9, quantity=3.0)]


@pytest.mark.redis
def test_what_an_earlier_release_remembered_is_read(
    redis_side: ServingSide, redis: Redis, ask: Ask
) -> None:
    redis.zadd(keys.recent("shop", "ann"), {b'["e5","order","i5",5]': -9.0})

    assert recent(redis_side, ask) == [RecentEvent("i5", "order", 5, 9)]


def test_nothing_recorded_is_nothing_remembered(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.recent.record("shop", [], received_ms=1)

    assert recent(serving_side, ask) == []


def test_a_replay_changes_nothing_also_when_it_arrives_later(
    serving_side: ServingSide, ask: Ask
) -> None:
    serving_side.recent.record("shop", [an_event(1), an_event(2)], received_ms=10)
    before = recent(serving_side, ask)

    serving_side.recent.record("shop", [an_event(2), an_event(1), an_event(1)], received_ms=99)

    assert recent(serving_side, ask) == before


def test_events_come_in_the_order_of_arrival_not_of_their_own_times(
    serving_side: ServingSide, ask: Ask
) -> None:
    for received_ms, number in enumerate((7, 3, 9, 1)):
        serving_side.recent.record("shop", [an_event(number)], received_ms)

    assert [event.item_id for event in recent(serving_side, ask)] == ["i7", "i3", "i9", "i1"]


def test_a_batch_keeps_its_order(serving_side: ServingSide, ask: Ask) -> None:
    batch = [an_event(number) for number in (9, 10, 1, 2)]
    serving_side.recent.record("shop", batch, received_ms=1_800_000_000_123)

    found = recent(serving_side, ask)
    assert [event.item_id for event in found] == ["i9", "i10", "i1", "i2"]
    assert {event.received_ms for event in found} == {1_800_000_000_123}


def test_what_was_forgotten_is_remembered_as_before(serving_side: ServingSide, ask: Ask) -> None:
    events = [
        ReceivedEvent(an_event(number), received_ms)
        for number, received_ms in ((7, 10), (3, 20), (9, 30))
    ]
    serving_side.recent.record("shop", [an_event(3)], received_ms=20)

    serving_side.recent.restore("shop", [events[2], events[0], events[1]])

    found = recent(serving_side, ask)
    assert [(event.item_id, event.received_ms) for event in found] == [
        ("i7", 10),
        ("i3", 20),
        ("i9", 30),
    ]


def test_restoring_changes_nothing_of_what_is_remembered(
    serving_side: ServingSide, ask: Ask
) -> None:
    serving_side.recent.record("shop", [an_event(1), an_event(2)], received_ms=10)
    before = recent(serving_side, ask)

    serving_side.recent.restore("shop", [ReceivedEvent(an_event(2), 11)])

    assert recent(serving_side, ask) == before


def test_what_a_users_events_exclude_is_known(serving_side: ServingSide) -> None:
    kinds = {"looked at": "view", "bought": "purchase", "disliked": "dislike"}
    batch = [an_event(n, item_id=i, event_type=t) for n, (i, t) in enumerate(kinds.items())]
    serving_side.recent.record("shop", batch, received_ms=1)

    assert serving_side.recent.excluded("shop", "ann") == {"bought", "disliked"}
    assert serving_side.recent.excluded("shop", "bob") == set()
    assert serving_side.recent.excluded("othershop", "ann") == set()


def test_events_of_a_batch_go_to_their_users(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.recent.record("shop", [an_event(1, "ann"), an_event(2, "bob")], received_ms=1)

    assert [event.item_id for event in recent(serving_side, ask, "bob")] == ["i2"]


def test_tenants_and_users_do_not_see_each_other(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.recent.record("shop", [an_event()], received_ms=1)

    assert recent(serving_side, ask, tenant="othershop") == []
    assert recent(serving_side, ask, "an") == []
    assert recent(serving_side, ask, "ann:") == []


@pytest.mark.parametrize("strange", STRANGE_IDS)
def test_ids_are_opaque(serving_side: ServingSide, ask: Ask, strange: str) -> None:
    event = an_event(1, user_id=strange, item_id=strange)

    serving_side.recent.record("shop", [event], received_ms=1)

    assert [found.item_id for found in recent(serving_side, ask, strange)] == [strange]


def test_the_newest_arrivals_are_kept_and_no_more(serving_side: ServingSide, ask: Ask) -> None:
    for number in range(MAX_RECENT_EVENTS + 50):
        serving_side.recent.record("shop", [an_event(number)], received_ms=1000 + number)

    kept = recent(serving_side, ask)

    assert len(kept) == MAX_RECENT_EVENTS
    assert kept[0].item_id == "i50"


def test_looking_around_never_pushes_out_a_purchase_or_a_dislike(
    serving_side: ServingSide, ask: Ask
) -> None:
    bought = an_event(1, item_id="bought", event_type="purchase")
    disliked = an_event(2, item_id="disliked", event_type="dislike")
    serving_side.recent.record("shop", [bought, disliked], received_ms=1000)

    for number in range(10, 10 + MAX_RECENT_EVENTS + 50):
        serving_side.recent.record("shop", [an_event(number)], received_ms=1000 + number)

    kept = recent(serving_side, ask)
    assert [event.item_id for event in kept[:2]] == ["bought", "disliked"]
    assert [event.item_id for event in kept[2:]] == [
        f"i{number}" for number in range(60, 60 + MAX_RECENT_EVENTS)
    ]


def test_an_order_of_a_thousand_lines_is_remembered_whole(
    serving_side: ServingSide, ask: Ask
) -> None:
    order = [an_event(number, event_type="purchase") for number in range(1000)]
    serving_side.recent.record("shop", [an_event(5000)], received_ms=1)

    serving_side.recent.record("shop", order, received_ms=2)

    kept = [event.item_id for event in recent(serving_side, ask)]
    assert kept == ["i5000", *(f"i{number}" for number in range(1000))]


def test_a_robot_that_buys_without_end_is_remembered_within_a_bound(
    serving_side: ServingSide, ask: Ask
) -> None:
    serving_side.recent.record("shop", [an_event(1)], received_ms=1)
    for thousand in range(MAX_RECENT_EXCLUSIONS // 1000 + 1):
        numbers = range(thousand * 1000, thousand * 1000 + 1000)
        batch = [an_event(number, event_type="purchase") for number in numbers]
        serving_side.recent.record("shop", batch, received_ms=10 + thousand)

    kept = recent(serving_side, ask)
    assert kept[0].event_type == "view"
    assert [event.item_id for event in kept[1:]] == [
        f"i{number}" for number in range(1000, MAX_RECENT_EXCLUSIONS + 1000)
    ]


def test_what_is_restored_keeps_what_excludes_too(serving_side: ServingSide, ask: Ask) -> None:
    looked = [ReceivedEvent(an_event(n), 100 + n) for n in range(1, MAX_RECENT_EVENTS + 51)]
    bought = [ReceivedEvent(an_event(n, event_type="purchase"), n) for n in range(1000, 1300)]

    serving_side.recent.restore("shop", [*looked, *bought])

    kept = recent(serving_side, ask)
    assert {e.item_id for e in kept if e.event_type == "purchase"} == {
        each.event.item_id for each in bought
    }
    assert [e.item_id for e in kept if e.event_type == "view"] == [
        each.event.item_id for each in looked[50:]
    ]


def test_all_that_a_page_of_the_store_holds_is_restored(
    serving_side: ServingSide, ask: Ask
) -> None:
    page = [ReceivedEvent(an_event(n, event_type="purchase"), n) for n in range(1, 5001)]
    serving_side.recent.restore("shop", page)
    assert len(recent(serving_side, ask)) == len(page)


def test_many_users_are_remembered_by_one_write(serving_side: ServingSide) -> None:
    users = [f"user {n}" for n in range(120)]
    bought = [an_event(n, user_id=u, event_type="purchase") for n, u in enumerate(users, 1)]
    serving_side.recent.record("shop", bought, received_ms=7)
    found = [serving_side.recent.excluded("shop", user) for user in users]
    assert found == [{f"i{n}"} for n in range(1, len(users) + 1)]


def test_events_of_both_kinds_come_in_the_order_of_arrival(
    serving_side: ServingSide, ask: Ask
) -> None:
    kinds = ("view", "purchase", "view", "dislike", "purchase")
    batch = [an_event(number, event_type=kind) for number, kind in enumerate(kinds)]
    serving_side.recent.record("shop", batch, received_ms=1_800_000_000_123)

    found = recent(serving_side, ask)
    assert tuple(event.event_type for event in found) == kinds
    assert {event.received_ms for event in found} == {1_800_000_000_123}


@pytest.mark.redis
def test_what_is_remembered_expires(redis_side: ServingSide, redis: Redis) -> None:
    redis_side.recent.record("shop", [an_event()], received_ms=1)

    seconds_left = redis.ttl(keys.recent("shop", "ann"))

    assert EXPIRE_SECONDS - 60 < seconds_left <= EXPIRE_SECONDS


def test_a_user_is_forgotten_and_no_other(serving_side: ServingSide, ask: Ask) -> None:
    for user_id in ("ann", "bob"):
        serving_side.recent.record("shop", [an_event(5, user_id)], received_ms=9)

    serving_side.recent.forget("shop", "ann")
    serving_side.recent.forget("shop", "nobody")

    assert recent(serving_side, ask, "ann") == []
    assert len(recent(serving_side, ask, "bob")) == 1


def test_impressions_stand_apart_and_count_once(serving_side: ServingSide, ask: Ask) -> None:
    shown = [an_event(n, event_type="impression") for n in (1, 2)]
    for _ in range(2):
        serving_side.recent.record("shop", [*shown, an_event(7)], received_ms=9)

    assert [event.item_id for event in recent(serving_side, ask)] == ["i7"]
    found = impressions(serving_side, ask)
    assert sorted((each.item_id, each.received_ms) for each in found) == [("i1", 9), ("i2", 9)]
    [read] = ask(serving_side.serving.users([UserLookup("shop", "v1", "ann")]))
    assert read.impressions == ()


def test_of_many_impressions_the_newest_stay(serving_side: ServingSide, ask: Ask) -> None:
    for n in range(MAX_IMPRESSIONS + 5):
        serving_side.recent.record("shop", [an_event(n, event_type="impression")], received_ms=n)

    found = impressions(serving_side, ask)
    assert {each.received_ms for each in found} == set(range(5, MAX_IMPRESSIONS + 5))


def test_a_user_is_forgotten_with_the_impressions(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.recent.record("shop", [an_event(1, event_type="impression")], received_ms=9)
    serving_side.recent.forget("shop", "ann")

    assert impressions(serving_side, ask) == []


def impressions(side: ServingSide, ask: Ask) -> list[Impression]:
    [read] = ask(side.serving.users([UserLookup("shop", "v1", "ann", with_impressions=True)]))
    assert read.problem is None
    return list(read.impressions)
