"""The time between --start and --end."""

from datetime import datetime

import pytest

from cli.period import period, report_period
from recsys.core.errors import ConfigurationError

NOW_MS = 1_800_000_000_000


def test_an_end_still_to_come_is_none_by_which_all_items_would_be_old() -> None:
    assert period(None, datetime(2099, 1, 1), NOW_MS) == (0, NOW_MS)


def test_a_start_still_to_come_is_not_before_now_whatever_the_end() -> None:
    with pytest.raises(ConfigurationError, match="--start 2098-01-01T00:00:00 is not before now"):
        period(datetime(2098, 1, 1), datetime(2099, 1, 1), NOW_MS)


def test_a_start_after_the_end_is_told_with_both() -> None:
    with pytest.raises(ConfigurationError, match="is not before --end 2024-02-28T00:00:00"):
        period(datetime(2024, 2, 29), datetime(2024, 2, 28), NOW_MS)


def test_an_end_before_all_events_is_told_without_a_start() -> None:
    for end in (datetime(1970, 1, 1), datetime(1, 1, 1)):
        with pytest.raises(ConfigurationError, match="is not after 1970-01-01T00:00:00"):
            period(None, end, NOW_MS)
        with pytest.raises(ConfigurationError, match="is not after 1970-01-01T00:00:00"):
            report_period(None, end, 28, NOW_MS)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2024, 2, 29), datetime(2024, 2, 29)),
        (datetime(9999, 12, 31), None),
        (datetime(9999, 12, 31), datetime(9999, 12, 31)),
    ],
)
def test_no_time_at_all_is_told(start: datetime, end: datetime | None) -> None:
    with pytest.raises(ConfigurationError, match="is not before"):
        period(start, end, NOW_MS)
