"""Time as a shop lives it: a long pause makes behaviour no older than two weeks do.

The age of an event decides how much it still counts. If ages were measured by the calendar and from
the newest event, one event dated years after all others would make these count nothing. Hence:

- a stretch of more than two weeks in which at most one user was seen is a pause, and ages
  behaviour by two weeks;
- ages are measured from the newest event that did not happen in a pause.

So one event, one day or one user never decides how much all others count. In a shop that sees
two users in any two weeks, time is the calendar's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.core.times import MS_PER_DAY

# The holidays of the demo's shop take twelve days; half-lives of behaviour are months.
MAX_PAUSE_MS = 14 * int(MS_PER_DAY)


class Pause(NamedTuple):
    """A stretch in which at most one user was seen. Times in UTC milliseconds."""

    start_ms: int
    end_ms: int


class ActiveDay(NamedTuple):
    """A day with at least one event.

    Attributes:
        first_ms, last_ms: times of its first and last event, UTC milliseconds.
        lone_user: the only user of the day; None when there were several.
    """

    first_ms: int
    last_ms: int
    lone_user: object | None


@dataclass(frozen=True, slots=True)
class ShopTime:
    """Ages of events.

    Attributes:
        as_of_ms: the time from which ages are measured, UTC milliseconds.
        pauses: in order of time, none overlapping another.
    """

    as_of_ms: int
    pauses: tuple[Pause, ...] = ()

    def ages_ms(self, timestamps_ms: ArrayLike) -> NDArray[np.float64]:
        """Age of events in milliseconds, shape as given; negative after `as_of_ms`.

        Only the first two weeks of a pause count.
        """
        times = np.asarray(timestamps_ms, np.float64)
        return (self.as_of_ms - times) - (self._skipped(self.as_of_ms) - self._skipped(times))

    def until(self, moment_ms: int) -> "ShopTime":
        """The same shop when it knew nothing from a moment on."""
        past = [pause for pause in self.pauses if pause.start_ms < moment_ms]
        return ShopTime(moment_ms, tuple(past))

    def days_before(self, days: float) -> int:
        """The moment this many days before `as_of_ms`, pauses not counted at all."""
        moment, left = self.as_of_ms, days * MS_PER_DAY
        for pause in reversed(self.pauses):
            if moment - left >= pause.end_ms:
                break
            if pause.end_ms <= moment:
                left -= moment - pause.end_ms
                moment = pause.start_ms
        return int(moment - left)

    def _skipped(self, times: ArrayLike) -> NDArray[np.float64]:
        """Milliseconds that did not count since the beginning of time."""
        if not self.pauses:
            return np.zeros(np.shape(times))
        starts = np.array([pause.start_ms + MAX_PAUSE_MS for pause in self.pauses], np.float64)
        ends = np.array([pause.end_ms for pause in self.pauses], np.float64)
        totals = np.cumsum(ends - starts)
        knots = np.stack([starts, ends], axis=1).ravel()
        values = np.stack([totals - (ends - starts), totals], axis=1).ravel()
        return np.interp(np.asarray(times, np.float64), knots, values)


def shop_time(days: Iterable[ActiveDay]) -> ShopTime:
    """Find the pauses of a shop and the time to measure ages from.

    Args:
        days: in order of time, at least one.
    """
    days = list(days)
    if len({day.lone_user for day in days}) == 1 and days[0].lone_user is not None:
        # The only user there ever was has nobody to protect.
        return ShopTime(days[-1].last_ms)
    pauses: list[Pause] = []
    since, alone = days[0].last_ms, list[ActiveDay]()
    for day in days[1:]:
        if day.lone_user is not None and all(day.lone_user == other.lone_user for other in alone):
            alone.append(day)
            continue
        if day.first_ms - since > MAX_PAUSE_MS:
            pauses.append(Pause(since, day.first_ms))
        since, alone = day.last_ms, []
    # Whoever came last and alone is followed as long as a pause counts.
    within = [day.last_ms for day in alone if day.last_ms - since <= MAX_PAUSE_MS]
    return ShopTime(max([since, *within]), tuple(pauses))


def shop_time_of_events(
    timestamps_ms: NDArray[np.int64], users: NDArray[np.integer] | Sequence[int]
) -> ShopTime:
    """The shop time of e events, at least one.

    Args:
        timestamps_ms: (e,) UTC milliseconds, in any order.
        users: (e,) codes of their users.
    """
    return shop_time(_active_days(timestamps_ms, np.asarray(users)))


def _active_days(
    timestamps_ms: NDArray[np.int64], users: NDArray[np.integer]
) -> Iterator[ActiveDay]:
    order = np.argsort(timestamps_ms, kind="stable")
    times, users = timestamps_ms[order], users[order]
    day_numbers = times // int(MS_PER_DAY)
    starts = np.flatnonzero(np.diff(day_numbers, prepend=day_numbers[:1] - 1))
    ends = np.append(starts[1:], len(times))
    lowest, highest = np.minimum.reduceat(users, starts), np.maximum.reduceat(users, starts)
    for start, end, low, high in zip(starts, ends, lowest, highest, strict=True):
        lone_user = int(low) if low == high else None
        yield ActiveDay(int(times[start]), int(times[end - 1]), lone_user)
