"""Lists about an item, a session or nobody, by what the visitor was shown and has just seen."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import grpc
import pytest

from recsys.core.behaviour import RecentEvents
from recsys.core.domain import Event, Item
from recsys.core.ports import ReadUser, UserLookup
from recsys.rpc.v1 import recommender_pb2 as pb
from tests.unit.services.recommender.shop import Shop
from tests.unit.services.recommender.test_answer_batch import answers, document, ids, of_user
from tests.unit.services.recommender.test_servicer import NoDeadline

SEEN = {"i1", "i2", "i3", "new"}
Fields = dict[str, Any]
TARGETS: list[Fields] = [
    {"item_id": "i0", "generators": ["similar", "popular", "new"]},
    {"item_id": "i0", "generators": ["for_you", "popular", "new"]},
    {"session": pb.SessionItems(item_ids=["i0"]), "generators": ["for_you", "popular", "new"]},
    {
        "session": pb.SessionItems(item_ids=["i0"]),
        "generators": ["bought_together", "popular", "new"],
    },
    {"session": pb.SessionItems(), "generators": ["popular", "new"]},
]
of_every_target = pytest.mark.parametrize("target", TARGETS)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Bob viewed i1 and new a day ago and i2 ten days ago, and bought i3 two days ago."""
    with Shop() as shop:
        shop.put(Item("new"))
        now_ms = time.time_ns() // 1_000_000
        for item_id, days, event_type in (
            ("i1", 1, "view"),
            ("i2", 10, "view"),
            ("i3", 2, "purchase"),
            ("new", 1, "view"),
        ):
            then_ms = now_ms - days * 86_400_000
            event = Event(f"e{item_id}", "bob", item_id, event_type, timestamp_ms=then_ms)
            shop.recent.record("shop", [event], received_ms=now_ms)
        yield shop


def beside(
    target: Fields, number: int = 1, visitor_id: str = "bob", days: float = 30, **wishes: Any
) -> pb.Question:
    controls = {"exclude_seen_days": days, **wishes.pop("controls", {})}
    return pb.Question(
        **{"number": number, "tenant": "shop", "limit": 7, "budget_ms": 1000, **target, **wishes},
        visitor_id=visitor_id,
        controls=pb.Controls(**controls),
    )


def tiring(target: Fields, after: int = 2, **wishes: Any) -> pb.Question:
    """What bob was shown so often gives way."""
    controls = {"fatigue": pb.Fatigue(after=after, factor=0.01), "exclude_seen_days": 0}
    return beside(target, controls=controls, **wishes)


def is_shown(shop: Shop, item_id: str, times: int, user_id: str = "bob") -> None:
    now_ms = time.time_ns() // 1_000_000
    for number in range(times):
        event_id = f"shown{item_id}{user_id}{number}"
        event = Event(event_id, user_id, item_id, "impression", timestamp_ms=now_ms)
        shop.recent.record("shop", [event], received_ms=now_ms + 1)


def lowered(item_id: str, before: list[str], after: list[str]) -> bool:
    """Whether that item is further down, and all others are in the order that they had."""
    others = [[each for each in found if each != item_id] for found in (before, after)]
    return others[0] == others[1] and after.index(item_id) > before.index(item_id)


def as_for_anybody(question: pb.Question) -> pb.Question:
    """The same question about no visitor."""
    same = pb.Question()
    same.CopyFrom(question)
    same.ClearField("visitor_id")
    return same


@of_every_target
@pytest.mark.parametrize(
    ("days", "types", "left_out"),
    [
        (30, [], SEEN),
        (5, [], {"i1", "i3", "new"}),
        (30, ["purchase"], {"i3"}),
        (1.5, ["purchase"], set()),
        (30, ["view"], {"i1", "i2", "new"}),
        (30, ["dislike"], set()),
    ],
)
def test_what_the_visitor_has_just_seen_is_left_out(
    shop: Shop, target: Fields, days: float, types: list[str], left_out: set[str]
) -> None:
    question = beside(target, days=days, controls={"exclude_event_types": types})
    found = answers(shop, question)[1]
    [whole] = answers(shop, as_for_anybody(question)).values()
    assert ids(found) == [item_id for item_id in ids(whole) if item_id not in left_out]
    assert set(ids(whole)) >= SEEN
    assert (document(found)["degraded"], found.degraded) == (False, False)


@of_every_target
def test_what_the_visitor_was_shown_often_sinks_until_the_visitor_does_something_with_it(
    shop: Shop, target: Fields
) -> None:
    whole = ids(answers(shop, as_for_anybody(tiring(target)))[1])
    first, second = whole[:2]
    is_shown(shop, first, 1)
    is_shown(shop, second, 2, "ann")
    assert ids(answers(shop, tiring(target))[1]) == whole
    is_shown(shop, first, 2)
    assert lowered(first, whole, ids(answers(shop, tiring(target))[1]))
    # Neither for anybody else, nor where it does not matter.
    for other in (as_for_anybody(tiring(target)), tiring(target, visitor_id="cat")):
        assert ids(answers(shop, other)[1]) == whole
    now_ms = time.time_ns() // 1_000_000
    event = Event("acted", "bob", first, "view", timestamp_ms=now_ms)
    shop.recent.record("shop", [event], received_ms=now_ms + 2)
    assert ids(answers(shop, tiring(target))[1]) == whole


@of_every_target
def test_what_the_visitor_was_shown_is_read_in_the_one_trip_where_it_matters(
    shop: Shop, target: Fields
) -> None:
    answers(shop, tiring(target), beside(target, 2), as_for_anybody(tiring(target, number=3)))
    assert [[user.with_impressions for user in trip] for trip in shop.store.trips] == [
        [True, False]
    ]
    shop.store.away = True
    assert answers(shop, tiring(target))[1].degraded
    assert not answers(shop, as_for_anybody(tiring(target)))[1].degraded


@of_every_target
def test_also_what_fills_up_a_relaxed_filter_gives_way_when_it_was_shown_often(
    shop: Shop, target: Fields
) -> None:
    shop.put(Item("i4", price=5.0))

    def relaxed() -> list[str]:
        wishes = {"exclude_seen_days": 0, "relax_filter": True}
        wishes["fatigue"] = pb.Fatigue(after=2, factor=0.01)
        return ids(answers(shop, beside(target, filter="price = 5", controls=wishes))[1])

    passing, first, *others = whole = relaxed()
    assert passing == "i4"
    assert others
    is_shown(shop, first, 2)
    assert lowered(first, whole, relaxed())
    assert len(shop.store.trips) == 2


def test_all_users_and_visitors_of_a_batch_are_read_in_one_trip_and_nobody_else(
    shop: Shop,
) -> None:
    plain = [as_for_anybody(beside(each, number)) for number, each in enumerate(TARGETS, 10)]
    answers(shop, *plain, pb.Question(number=1, tenant="shop", item_id="i0", limit=2))
    assert shop.store.trips == []
    visited = [beside(each, number) for number, each in enumerate(TARGETS)]
    found = answers(shop, *visited, *plain, of_user("ann", 20))
    assert [{user.user_id for user in trip} for trip in shop.store.trips] == [{"ann", "bob"}]
    assert all(
        user == UserLookup("shop", "v1", "bob", with_record=False)
        for user in shop.store.trips[0]
        if user.user_id != "ann"
    )
    assert ids(found[20]) == ["i3", "i1"]
    for number in range(len(TARGETS)):
        assert not SEEN.intersection(ids(found[number]))
        assert set(ids(found[number + 10])) >= SEEN


@of_every_target
def test_without_the_store_the_list_is_that_for_anybody_and_says_so(
    shop: Shop, target: Fields
) -> None:
    whole = ids(answers(shop, as_for_anybody(beside(target)))[1])
    shop.store.away = True
    found = answers(shop, beside(target))[1]
    assert (ids(found), document(found)["degraded"], found.degraded) == (whole, True, True)
    # Who asks nothing of it is answered as ever.
    assert not answers(shop, as_for_anybody(beside(target)))[1].degraded


def test_a_store_that_lost_its_data_knows_of_no_visitor_and_that_is_said(shop: Shop) -> None:
    del shop.published.pointers["shop"]
    shop.wait(shop.follower.refresh())
    assert answers(shop, beside(TARGETS[0]))[1].degraded


@of_every_target
def test_events_that_cannot_be_read_degrade_one_visitor_and_no_other(
    shop: Shop, target: Fields, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = shop.store.users

    async def damaged(wanted: Sequence[UserLookup]) -> list[ReadUser]:
        nonsense = RecentEvents(("no event",), lambda _: json.loads("no event"))
        return [
            ReadUser(None, nonsense) if user.user_id == "eve" else found
            for user, found in zip(wanted, await read(wanted), strict=True)
        ]

    whole = ids(answers(shop, as_for_anybody(beside(target)))[1])
    monkeypatch.setattr(shop.store, "users", damaged)
    found = answers(shop, beside(target, 1, "eve"), beside(target, 2))
    assert (ids(found[1]), found[1].degraded) == (whole, True)
    assert (SEEN.intersection(ids(found[2])), found[2].degraded) == (set(), False)


@of_every_target
def test_a_visitor_of_whom_nothing_is_known_sees_the_whole_list(shop: Shop, target: Fields) -> None:
    whole = ids(answers(shop, as_for_anybody(beside(target)))[1])
    found = answers(shop, beside(target, visitor_id="nobody knows"))[1]
    assert (ids(found), found.degraded) == (whole, False)


@of_every_target
@pytest.mark.parametrize("controls", [{}, {"diversity": 0.5, "explain": True}])
def test_no_page_has_what_the_visitor_has_seen(
    shop: Shop, target: Fields, controls: Fields
) -> None:
    whole = ids(answers(shop, beside(target, controls=controls))[1])
    found, token = list[str](), ""
    while not found or token:
        question = beside(target, limit=1, page_token=token, controls=controls)
        page = answers(shop, question)[1]
        found += ids(page)
        token = document(page)["next_page_token"]
    assert sorted(found) == sorted(whole)
    assert not SEEN.intersection(found)


@of_every_target
def test_what_fills_up_a_relaxed_filter_has_nothing_of_it_either(
    shop: Shop, target: Fields
) -> None:
    shop.put(Item("i3", price=5.0))
    shop.put(Item("i4", price=5.0))
    question = beside(target, filter="price = 5", controls={"relax_filter": True})
    items = document(answers(shop, question)[1])["items"]
    flags = [(item["item_id"], item.get("relaxed", False)) for item in items]
    assert flags[0] == ("i4", False)
    assert all(flag for _, flag in flags[1:])
    assert {item_id for item_id, _ in flags} >= {"i4", "i5"}
    assert not SEEN.intersection(item_id for item_id, _ in flags)
    assert len(shop.store.trips) == 1


def test_a_pin_of_what_the_visitor_has_seen_is_left_out(shop: Shop) -> None:
    pins = {"pins": [pb.Pin(item_id="i3", position=1), pb.Pin(item_id="i5", position=2)]}
    assert ids(answers(shop, beside(TARGETS[0], controls=pins))[1]) == ["i4", "i5"]


@of_every_target
@pytest.mark.parametrize("is_away", [False, True])
@pytest.mark.parametrize("asking", [beside, tiring])
def test_a_message_of_grpc_is_answered_like_the_question_of_a_gateway(
    shop: Shop, target: Fields, is_away: bool, asking: Callable[[Fields], pb.Question]
) -> None:
    is_shown(shop, "i4", 2)
    shop.store.away = is_away
    question = asking(target)
    request = pb.RecommendRequest(
        tenant="shop", limit=7, visitor_id="bob", controls=question.controls, **target
    )
    found = shop.wait(shop.servicer.Recommend(request, NoDeadline())).answer
    assert [item.item_id for item in found.items] == ids(answers(shop, question)[1])
    assert found.degraded is is_away
    page = pb.RecommendPageRequest(tenant="shop", requests=[request, request], repeats_allowed=True)
    for answer in shop.wait(shop.servicer.RecommendPage(page, NoDeadline())).answers:
        assert [item.item_id for item in answer.items] == [item.item_id for item in found.items]


@pytest.mark.parametrize(
    "wrong",
    [
        beside({"item_id": "i0"}, days=0),
        beside({"item_id": "i0"}, visitor_id="a\0"),
        beside({"user_id": "ann"}),
        pb.Question(number=1, tenant="shop", item_id="i0", limit=2, visitor_id="bob"),
    ],
)
def test_a_visitor_who_does_not_matter_or_is_none_is_refused(
    shop: Shop, wrong: pb.Question
) -> None:
    found = answers(shop, wrong)[1]
    assert found.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "visitor_id" in found.error_details
    assert shop.store.trips == []
