"""Counting what shoppers do."""

from collections.abc import Sequence

import numpy as np
import pytest

from recsys.analysis.behaviour import (
    baskets,
    monthly_shoppers,
    power_law_exponent,
    repeats,
    seasonality,
    survival,
    weekly,
)
from recsys.core.errors import ConfigurationError
from recsys.training.event_log import EventLog
from tests.builders import an_event_log


def events_of(rows: Sequence[tuple[str, str, str]]) -> EventLog:
    """Purchases: user, item and UTC time, as ISO 8601."""
    times = [int(np.datetime64(time, "ms").astype(int)) for _, _, time in rows]
    return an_event_log([(user, item) for user, item, _ in rows], times=times)


def test_weeks_run_from_the_first_event_to_the_last_with_empty_ones_between() -> None:
    log = events_of(
        [
            ("u", "i", "2011-03-01T23:59"),
            ("u", "i", "2011-03-07T23:59"),
            ("u", "i", "2011-03-22T00:00"),
        ]
    )

    weeks, events = weekly(log)

    assert weeks.astype(str).tolist() == ["2011-03-01", "2011-03-08", "2011-03-15", "2011-03-22"]
    assert events.tolist() == [2, 0, 0, 1]


def test_what_has_no_time_has_no_weeks() -> None:
    with pytest.raises(ConfigurationError, match="timestamps"):
        weekly(an_event_log([("u", "i")]))


def test_survival_is_the_share_at_or_above_each_value() -> None:
    values, shares = survival(np.array([1, 1, 5, 3]))

    assert values.tolist() == [1, 3, 5]
    assert shares.tolist() == [1.0, 0.5, 0.25]


@pytest.mark.parametrize("exponent", [2.0, 3.0])
def test_the_exponent_of_a_drawn_power_law_is_found(exponent: float) -> None:
    # P(X >= x) = ((x - 1/2) / (least - 1/2))^(1 - a) for whole x, with least = 10.
    uniform = np.random.default_rng(4).random(200_000)
    drawn = np.floor(9.5 * uniform ** (1 / (1 - exponent)) + 0.5).astype(np.int64)

    assert power_law_exponent(drawn, least=10) == pytest.approx(exponent, rel=0.01)


def test_there_is_no_exponent_without_a_tail() -> None:
    assert np.isnan(power_law_exponent(np.array([1, 2]), least=10))


def test_a_shopper_counts_once_a_month_for_each_item() -> None:
    log = events_of(
        [
            ("u", "a", "2011-01-01"),
            ("u", "a", "2011-01-31"),
            ("v", "a", "2011-01-31"),
            ("u", "b", "2011-03-01"),
        ]
    )

    months, by_month = monthly_shoppers(log)

    assert months.astype(str).tolist() == ["2011-01", "2011-02", "2011-03"]
    assert by_month[log.item_ids.index("a")].tolist() == [2, 0, 0]
    assert by_month[log.item_ids.index("b")].tolist() == [0, 0, 1]


def test_season_is_the_best_month_of_the_mean_year() -> None:
    months = np.arange("2009-12", "2011-12", dtype="datetime64[M]")
    christmas = np.where(months.astype(int) % 12 == 11, 30, 0)
    all_year = np.ones(24, np.int64)

    shares, best = seasonality(months, np.stack([christmas, all_year]))

    assert shares.tolist() == [1.0, pytest.approx(1 / 12)]
    assert best[0] == 11


def test_a_month_that_the_data_has_once_more_does_not_weigh_more() -> None:
    months = np.arange("2009-12", "2012-01", dtype="datetime64[M]")

    shares, _ = seasonality(months, np.ones((1, 25), np.int64))

    assert shares[0] == pytest.approx(1 / 12)


def test_what_is_new_or_never_sold_has_no_season() -> None:
    months = np.arange("2010-01", "2012-01", dtype="datetime64[M]")
    new, never = np.zeros((2, 24), np.int64)
    new[[3, 23]] = 1, 100

    shares, _ = seasonality(months, np.stack([new, never]))

    assert shares.tolist() == [0, 0]


def test_a_basket_is_what_one_shopper_took_on_one_day() -> None:
    log = events_of(
        [
            ("u", "a", "2011-01-01T09:00"),
            ("u", "b", "2011-01-01T18:00"),
            ("u", "a", "2011-01-01T18:00"),
            ("u", "a", "2011-01-02T00:00"),
            ("v", "a", "2011-01-01T09:00"),
        ]
    )

    found = baskets(log)

    owners = [log.user_ids[user] for user in found.users]
    assert sorted(zip(owners, found.sizes.tolist(), strict=True)) == [("u", 1), ("u", 2), ("v", 1)]


def test_repeats_are_counted_by_pair_and_day() -> None:
    log = events_of(
        [
            ("u", "a", "2011-01-01T09:00"),
            ("u", "a", "2011-01-01T10:00"),
            ("u", "a", "2011-01-11"),
            ("u", "b", "2011-01-12"),
            ("v", "a", "2011-01-13"),
            ("v", "a", "2011-01-14"),
        ]
    )

    again = repeats(log)

    assert sorted(again.times.tolist()) == [1, 2, 2]
    assert sorted(again.gaps_days.tolist()) == [1, 10]
