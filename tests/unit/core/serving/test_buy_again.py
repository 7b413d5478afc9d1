"""What a user is due to buy again, on days that are easy to count."""

import math
from dataclasses import replace

from recsys.core.behaviour import RecentEvent
from recsys.core.serving.buy_again import due_items
from recsys.core.serving.generators import Query
from recsys.core.serving.lists import PersonalList, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.pipeline import recommend
from tests.builders import a_history, an_item_model, repurchases, scoring_params

DAY = 86_400_000
ITEMS = an_item_model()
TODAY = 100
PARAMS = scoring_params(
    as_of_ms=TODAY * DAY, read_at_ms=TODAY * DAY, end_ms=TODAY * DAY, target_types=("purchase",)
)
# Item 0 every 10 days and due today, item 1 every 40 and bought 10 days ago, item 2 long given up.
STORED = repurchases([(0, 4, 60, 90), (1, 2, 50, 90), (2, 3, 0, 4)])


def due(*recent: RecentEvent, day: float = TODAY) -> list[tuple[int, float]]:
    return list(due_items(ITEMS, PARAMS, STORED, recent, int(day * DAY)))


def an_event(item_id: str, day: float, event_type: str = "purchase") -> RecentEvent:
    return RecentEvent(item_id, event_type, int(day * DAY), int(max(day, TODAY) * DAY))


def test_items_are_due_by_the_users_own_intervals() -> None:
    found = due()
    assert [row for row, _ in found] == [0, 1, 2]
    # On the very day: how often alone. A quarter of the interval: less.
    assert math.isclose(found[0][1], 4 / 10)
    assert math.isclose(found[1][1], 2 / 40 * math.exp(-(math.log(1 / 4) ** 2) / 2))
    # Thirty days later the seldom one is due.
    later = dict(due(day=TODAY + 14))
    assert later[1] > found[1][1]
    assert later[0] < found[0][1]


def test_what_was_just_bought_is_not_due() -> None:
    assert 0 not in dict(due(an_event("i0", 100.0), day=100.5))
    assert 0 in dict(due(an_event("i0", 100.0), day=102))


def test_recent_purchases_on_two_days_are_an_interval_of_their_own() -> None:
    assert 4 not in dict(due(an_event("i4", 101), day=105))
    # Twice on one day is one order of it.
    assert 4 not in dict(due(an_event("i4", 101), an_event("i4", 101.2), day=105))
    found = dict(due(an_event("i4", 101), an_event("i4", 103), day=105))
    assert math.isclose(found[4], 2 / 2)


def test_what_is_in_the_model_already_does_not_count_twice() -> None:
    before = RecentEvent("i0", "purchase", 95 * DAY, 99 * DAY)
    assert due(before) == due()


def test_what_was_disliked_or_returned_since_is_not_due() -> None:
    assert 0 not in dict(due(an_event("i0", 101, "dislike"), day=104))
    bought_all_the_same = an_event("i0", 101, "dislike"), an_event("i0", 102)
    assert 0 in dict(due(*bought_all_the_same, day=106))


def test_a_view_is_no_purchase_and_an_unknown_item_is_no_row() -> None:
    assert due(an_event("i0", 101, "view"), an_event("of another shop", 101)) == due()


def test_a_shop_that_paused_is_taken_as_two_weeks_older() -> None:
    assert due(day=5_000) == due(day=TODAY + 14)


def test_only_buy_again_offers_what_was_bought_and_later_generators_fill_up() -> None:
    model = ServingModel.of(ITEMS, PARAMS)
    personal = PersonalList(
        a_history([0, 3]).items, a_history([0, 3]).strengths, Source.STORED, a_history([0, 1, 2])
    )
    query = Query(model, personal, due=due())
    answer = recommend(query, ["buy_again", "for_you", "popular"], 6)
    assert [(each.item_index, each.source) for each in answer.ranked] == [
        (0, Source.BUY_AGAIN),
        (1, Source.BUY_AGAIN),
        (2, Source.BUY_AGAIN),
        (3, Source.STORED),
        (5, Source.POPULAR),
        (4, Source.POPULAR),
    ]
    # Whatever the order of generators, nothing is there twice, and nothing hidden or excluded.
    hidden = ServingModel.of(ITEMS, PARAMS, hidden=[0])
    some = replace(query, model=hidden, excluded={1})
    mixed = recommend(some, ["for_you", "popular", "buy_again", "popular"], 6)
    assert [each.item_index for each in mixed.ranked] == [3, 5, 4, 2]
