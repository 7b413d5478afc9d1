"""Reading values the way different files write them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from spark_jobs.bulk_import.values import (
    is_missing,
    read_flag,
    read_number,
    read_text,
    read_timestamp_ms,
)


@pytest.mark.parametrize(
    "value",
    [
        "2011-03-13T07:06:40Z",
        "2011-03-13 07:06:40 UTC",
        "2011-03-13 07:06:40",
        " 2011-03-13T08:06:40+01:00 ",
        "20110313T070640Z",
        1_300_000_000,
        1_300_000_000_000,
        "1300000000",
        1.3e9,
        datetime(2011, 3, 13, 7, 6, 40),
        datetime(2011, 3, 13, 7, 6, 40, tzinfo=UTC),
    ],
)
def test_a_time_may_be_written_in_many_ways(value: Any) -> None:
    assert read_timestamp_ms(value) == 1_300_000_000_000


def test_fractions_of_a_second_are_kept() -> None:
    assert read_timestamp_ms("2011-03-13T07:06:40.123456Z") == 1_300_000_000_123
    assert read_timestamp_ms(1_300_000_000.123) == 1_300_000_000_123


def test_a_date_is_its_first_moment() -> None:
    assert read_timestamp_ms(date(1970, 1, 2)) == read_timestamp_ms("1970-01-02") == 86_400_000


@pytest.mark.parametrize(
    "value", ["yesterday", "13/03/2011", True, [], float("inf"), "inf", "1e999"]
)
def test_a_time_that_cannot_be_told_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        read_timestamp_ms(value)


@pytest.mark.parametrize(
    ("value", "text"), [(" a b ", "a b"), (12, "12"), (12.0, "12"), (1.5, "1.5"), ("007", "007")]
)
def test_ids_may_be_numbers(value: Any, text: str) -> None:
    assert read_text(value) == text


@pytest.mark.parametrize("value", [True, [], {}, b"x"])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be text"):
        read_text(value)


@pytest.mark.parametrize("value", ["x", "1,5", "", True, [], 10**400])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        read_number(value)


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_missing_is_not_zero(value: Any) -> None:
    assert is_missing(value)
    assert not is_missing(0)


def test_yes_and_no_may_be_written_in_many_ways() -> None:
    assert [read_flag(v) for v in (True, "TRUE", 1, "yes", False, "0", "No")] == [True] * 4 + [
        False
    ] * 3
    with pytest.raises(ValueError, match="true or false"):
        read_flag("maybe")
