"""Counts of behaviour: over time, per user and item, in one basket, repeated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.times import MS_PER_DAY
from recsys.training.event_log import EventLog

Dates = NDArray[np.datetime64]
Counts = NDArray[np.int64]

# An item is not new when this share of its users came longer than a year ago.
_OLD_SHARE = 0.1


def weekly(log: EventLog) -> tuple[Dates, Counts]:
    """First days of the weeks from the first event to the last, (w,), and events in each.

    Weeks begin on the weekday of the first event; the last one may be incomplete.
    """
    days = _days(log)
    first = days.min()
    counts = np.bincount((days - first) // 7)
    return (first + 7 * np.arange(len(counts))).astype("datetime64[D]"), counts


def survival(counts: Counts) -> tuple[Counts, NDArray[np.float64]]:
    """Distinct values ascending and the share of counts at or above each, both (v,).

    A power law is a straight line in it when both axes are logarithmic.
    """
    values, many = np.unique(counts, return_counts=True)
    return values, np.cumsum(many[::-1])[::-1] / many.sum()


def power_law_exponent(counts: Counts, least: int) -> float:
    """Exponent a of p(x) ~ x^-a over counts of at least `least`; NaN when there are none.

    a = 1 + n / sum of ln(x / (least - 1/2)): Clauset, Shalizi, Newman, "Power-law distributions in
    empirical data" (2009), equation 3.7, good from about least = 6 on.
    """
    tail = counts[counts >= least]
    return float(1 + len(tail) / np.log(tail / (least - 0.5)).sum()) if len(tail) else np.nan


def monthly_shoppers(log: EventLog) -> tuple[Dates, Counts]:
    """Months from first to last, (m,), and the users of each item in each, (n, m).

    A user counts once a month, however much is bought.
    """
    months = log.times_ms().astype("datetime64[ms]").astype("datetime64[M]")
    axis = np.arange(months.min(), months.max() + 1)
    place = (months - axis[0]).astype(np.int64)
    columns = len(log.item_ids) * len(axis)
    cells = log.items.astype(np.int64) * len(axis) + place
    once = np.unique(log.users.astype(np.int64) * columns + cells) % columns
    return axis, np.bincount(once, minlength=columns).reshape(-1, len(axis))


def seasonality(months: Dates, by_month: Counts) -> tuple[NDArray[np.float64], Counts]:
    """Share of an item's year in its best month, (n,) in 0..1, and that month, (n,) from 0 to 11.

    A month of the calendar is the mean over the years there are, so that one which comes once more
    does not weigh more. An item that was hardly sold a year ago has 0: being new is no season.

    Args:
        months, by_month: of `monthly_shoppers`.
    """
    calendar = months.astype(np.int64) % 12
    year = np.zeros((len(by_month), 12))
    for month in np.unique(calendar):
        year[:, month] = by_month[:, calendar == month].mean(axis=1)
    earlier = by_month[:, : max(len(months) - 12, 1)].sum(axis=1)
    old = (earlier > 0) & (earlier >= _OLD_SHARE * by_month.sum(axis=1))
    total = year.sum(axis=1)
    shares = np.divide(year.max(axis=1), total, out=np.zeros(len(year)), where=old)
    return shares, year.argmax(axis=1)


@dataclass(frozen=True)
class Baskets:
    """Baskets: the items of one user on one UTC day, b of them, ordered by user and day.

    Attributes:
        users: (b,) user codes.
        sizes: (b,) different items.
    """

    users: Counts
    sizes: Counts


def baskets(log: EventLog) -> Baskets:
    """The baskets of all events of the log."""
    lines = np.unique(np.stack([log.users, _days(log), log.items]).astype(np.int64), axis=1)
    found, sizes = np.unique(lines[:2], axis=1, return_counts=True)
    return Baskets(found[0], sizes)


@dataclass(frozen=True)
class Repeats:
    """Repeat purchases: how users come back for the same item.

    Attributes:
        times: (p,) on how many days each pair of user and item came together.
        gaps_days: between one time and the next, of all pairs.
    """

    times: Counts
    gaps_days: Counts


def repeats(log: EventLog) -> Repeats:
    """The repeats of all events of the log."""
    visits = np.unique(np.stack([log.users, log.items, _days(log)]).astype(np.int64), axis=1)
    _, times = np.unique(visits[:2], axis=1, return_counts=True)
    same = (visits[:2, 1:] == visits[:2, :-1]).all(axis=0)
    return Repeats(times, np.diff(visits[2])[same])


def _days(log: EventLog) -> Counts:
    """(e,) UTC days since 1970."""
    return log.times_ms() // int(MS_PER_DAY)
