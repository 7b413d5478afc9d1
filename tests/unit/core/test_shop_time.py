"""No event, day or shopper decides how old all other behaviour is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.shop_time import (
    MAX_PAUSE_MS,
    ActiveDay,
    Pause,
    ShopTime,
    shop_time,
    shop_time_of_events,
)

DAY_MS = 86_400_000
DAYS = 200
# Five shoppers a day for two hundred days.
TIMES = np.repeat(np.arange(DAYS) * DAY_MS, 5)
USERS = np.arange(len(TIMES)) % 37


def a_pause(start_day: int, end_day: int) -> Pause:
    return Pause(start_day * DAY_MS, end_day * DAY_MS)


def ages_in_days(more: list[tuple[float, int]]) -> np.ndarray:
    """Ages of the shop's own events when these (day, user) happen too."""
    times = np.append(TIMES, [int(day * DAY_MS) for day, _ in more]).astype(np.int64)
    users = np.append(USERS, [user for _, user in more])
    return shop_time_of_events(times, users).ages_ms(TIMES) / DAY_MS


UNDISTURBED = ages_in_days([])


def test_in_a_shop_that_is_never_empty_time_is_the_calendars() -> None:
    assert pytest.approx((TIMES[-1] - TIMES) / DAY_MS) == UNDISTURBED


@pytest.mark.parametrize("later", [15, 240, 730, 5500])
def test_one_event_however_late_makes_no_other_older(later: int) -> None:
    assert ages_in_days([(DAYS + later, 99)]) == pytest.approx(UNDISTURBED)


def test_one_shopper_on_many_days_makes_no_others_behaviour_older_than_two_weeks() -> None:
    alone = [(DAYS + 3 * n, 99) for n in range(200)]

    assert (ages_in_days(alone) - UNDISTURBED).max() <= 14.01


@pytest.mark.parametrize("later", [15, 240, 730, 5500])
def test_one_day_of_a_thousand_shoppers_makes_others_two_weeks_older(later: int) -> None:
    crowd = [(DAYS + later, 1000 + n) for n in range(1000)]

    assert ages_in_days(crowd) - UNDISTURBED == pytest.approx(14, abs=1.01)


def test_an_event_long_before_the_shop_changes_nothing() -> None:
    times = np.append(TIMES + 10_000 * DAY_MS, 5)
    users = np.append(USERS, 99)
    clock = shop_time_of_events(times, users)

    assert clock.ages_ms(times[:-1]) / DAY_MS == pytest.approx(UNDISTURBED)
    assert clock.ages_ms(5) / DAY_MS == pytest.approx(DAYS - 1 + 14, abs=0.01)


def test_weekends_and_holidays_are_time_like_any_other() -> None:
    open_days = [d for d in range(60) if d % 7 != 6 and not 30 <= d < 42]
    times = np.repeat(np.array(open_days) * DAY_MS, 3)
    clock = shop_time_of_events(times, np.arange(len(times)))

    assert clock.pauses == ()
    assert clock.ages_ms(0) == times[-1]


def test_the_only_shopper_of_a_shop_has_ages_by_the_calendar() -> None:
    clock = shop_time_of_events(np.array([0, 100 * DAY_MS]), np.array([4, 4]))

    assert clock == ShopTime(100 * DAY_MS)


def test_what_happened_after_the_reference_time_has_a_negative_age() -> None:
    assert ShopTime(10 * DAY_MS).ages_ms(12 * DAY_MS) == -2 * DAY_MS


def test_the_days_to_judge_by_are_looked_for_before_a_pause() -> None:
    crowd = [(DAYS + 730, 1000 + n) for n in range(1000)]
    times = np.append(TIMES, [int(day * DAY_MS) for day, _ in crowd]).astype(np.int64)
    clock = shop_time_of_events(times, np.append(USERS, [user for _, user in crowd]))

    assert clock.days_before(28) == (DAYS - 1 - 28) * DAY_MS


def test_a_split_knows_nothing_of_what_came_after_it() -> None:
    clock = ShopTime(100 * DAY_MS, (a_pause(10, 30), a_pause(50, 90)))

    past = clock.until(40 * DAY_MS)

    assert past.as_of_ms == 40 * DAY_MS
    assert past.pauses == (a_pause(10, 30),)
    assert past.ages_ms(0) == (10 + 14 + 10) * DAY_MS


@given(
    st.lists(st.tuples(st.integers(0, 400 * DAY_MS), st.integers(0, 4)), min_size=1, max_size=60)
)
def test_ages_keep_the_order_of_events_and_never_exceed_the_calendars(
    events: list[tuple[int, int]],
) -> None:
    times = np.array(sorted(time for time, _ in events), np.int64)
    clock = shop_time_of_events(
        np.array([time for time, _ in events], np.int64), np.array([user for _, user in events])
    )
    ages = clock.ages_ms(times)

    assert (np.diff(ages) <= 1e-3).all()
    past = times <= clock.as_of_ms
    assert (ages[past] >= -1e-3).all()
    assert (ages[past] <= clock.as_of_ms - times[past] + 1e-3).all()


@given(
    st.lists(st.tuples(st.integers(0, 300 * DAY_MS), st.integers(0, 9)), min_size=5, max_size=50),
    st.lists(st.integers(0, 2000 * DAY_MS), min_size=1, max_size=20),
)
def test_no_single_shopper_makes_others_older_by_more_than_four_weeks(
    events: list[tuple[int, int]], intruder: list[int]
) -> None:
    """Two for a pause that ends with the shopper, two in which it is followed."""
    times = np.array([time for time, _ in events], np.int64)
    users = np.array([user for _, user in events])
    before = shop_time_of_events(times, users).ages_ms(times)
    after = shop_time_of_events(
        np.append(times, intruder), np.append(users, [77] * len(intruder))
    ).ages_ms(times)

    # A shop of one shopper has nobody to protect from the second.
    if len(set(users.tolist())) > 1:
        grown = np.maximum(after, 0) - np.maximum(before, 0)
        assert grown.max() <= 2 * MAX_PAUSE_MS + DAY_MS


def test_days_of_one_shopper_are_told_from_days_of_several() -> None:
    several = ActiveDay(0, 10, None)
    later = [ActiveDay(100 * DAY_MS, 100 * DAY_MS + 5, "ann")]

    assert shop_time([several, *later]) == ShopTime(10)
