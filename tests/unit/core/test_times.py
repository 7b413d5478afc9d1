"""One reader of times for all doors."""

from typing import Any

import pytest

from recsys.core.times import (
    MAX_CLOCK_SKEW_MS,
    MAX_TIMESTAMP_MS,
    event_time_problem,
    read_time_ms,
)

MOMENT_MS = 1_300_000_000_000


@pytest.mark.parametrize(
    "value",
    [
        "2011-03-13T07:06:40Z",
        "2011-03-13t07:06:40z",
        "2011-03-13T08:06:40+01:00",
        "2011-03-13T07:06:40.000999999Z",
        MOMENT_MS,
        float(MOMENT_MS),
    ],
)
def test_every_door_takes_rfc_3339_and_milliseconds(value: Any) -> None:
    assert read_time_ms(value) == MOMENT_MS


@pytest.mark.parametrize(
    "value",
    [
        "2011-03-13T07:06:40",
        "2011-03-13",
        "20110313T070640Z",
        "1300000000000",
        MOMENT_MS + 0.5,
        float("inf"),
        float("nan"),
        True,
        [],
    ],
)
def test_the_api_takes_nothing_else(value: Any) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339.*integer of milliseconds"):
        read_time_ms(value)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (-1, "before 1970"),
        (0, "counts seconds"),
        (MOMENT_MS // 1000, "counts seconds"),
        (10**11 - 1, "counts seconds"),
        (MAX_TIMESTAMP_MS + 1, "after 2100$"),
        (MOMENT_MS * 1000, "counts microseconds"),
        (MOMENT_MS * 10**6, "counts nanoseconds"),
        (10**400, "counts nanoseconds"),
    ],
)
def test_a_number_of_another_unit_is_refused_by_name(number: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_time_ms(number)


@pytest.mark.parametrize("number", [10**11, MAX_TIMESTAMP_MS])
def test_the_smallest_and_the_largest_milliseconds_are_taken(number: int) -> None:
    assert read_time_ms(number) == number


def test_an_event_may_be_a_day_ahead_of_the_clock_and_no_more() -> None:
    latest = MOMENT_MS + MAX_CLOCK_SKEW_MS
    assert event_time_problem(latest, MOMENT_MS) is None
    assert event_time_problem(latest + 1, MOMENT_MS) == "is more than 24 hours in the future"
    assert event_time_problem(-1, MOMENT_MS) == "must not be before 1970"
