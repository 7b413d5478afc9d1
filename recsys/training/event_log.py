"""Events in columns, as they come from a file, and the pairs they add up to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventTypes, with_weights
from recsys.core.shop_time import shop_time_of_events
from recsys.core.strength import (
    EventColumns,
    event_strengths,
    popularity_strengths,
    undecayed_strengths,
)
from recsys.training.interactions import InteractionMatrix, pairs_from_codes


@dataclass(frozen=True)
class EventLog:
    """e events; whoever and whatever is in the log has a code, a position in the ids.

    Attributes:
        user_ids, item_ids: each id once, in any order; not all need to have an event.
        users, items: (e,) int32 codes.
        values: (e,) float32, by which the weight of an event's type is multiplied.
        types: (e,) int16, positions in `event_types`.
        event_types: what an event of each type counts, by its name, in the order of the positions.
        target_types: for each type whether recommendations are judged by it.
        timestamps_ms: (e,) int64 UTC, or None for data without time.
        has_ages: whether times tell how old an event is, or, in data whose test is not of a later
            time, only what each user did first.
        quantities, prices, ratings: (e,) float64, NaN where unknown, or None where no type counts
            them.
    """

    user_ids: Sequence[str]
    item_ids: Sequence[str]
    users: NDArray[np.int32]
    items: NDArray[np.int32]
    values: NDArray[np.float32]
    types: NDArray[np.int16]
    event_types: EventTypes
    target_types: tuple[bool, ...]
    timestamps_ms: NDArray[np.int64] | None = None
    has_ages: bool = True
    quantities: NDArray[np.float64] | None = None
    prices: NDArray[np.float64] | None = None
    ratings: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.users)

    def only(self, chosen: NDArray[np.bool_]) -> "EventLog":
        """The events where (e,) `chosen` is true; codes keep their meaning."""
        times, quantities, prices = self.timestamps_ms, self.quantities, self.prices
        ratings = self.ratings
        return replace(
            self,
            users=self.users[chosen],
            items=self.items[chosen],
            values=self.values[chosen],
            types=self.types[chosen],
            timestamps_ms=None if times is None else times[chosen],
            quantities=None if quantities is None else quantities[chosen],
            prices=None if prices is None else prices[chosen],
            ratings=None if ratings is None else ratings[chosen],
        )

    def times_ms(self) -> NDArray[np.int64]:
        """(e,) when each event happened.

        Raises:
            ConfigurationError: when the data has no timestamps.
        """
        if self.timestamps_ms is None:
            raise ConfigurationError("time matters here, and the data has no timestamps")
        return self.timestamps_ms

    def columns(self) -> EventColumns:
        """The events as `recsys.core.strength` takes them."""
        return EventColumns(
            tuple(self.event_types.values()),
            self.types,
            self.values,
            self.quantities,
            self.prices,
            self.ratings,
        )

    def weights(self) -> NDArray[np.float64]:
        """(e,) what each event adds to its pair, before decay."""
        return undecayed_strengths(self.columns())

    def excludes(self) -> NDArray[np.bool_]:
        """(e,) whether an event keeps its item out of the user's recommendations."""
        kinds = self.event_types.values()
        return np.array([kind.excludes for kind in kinds], np.bool_)[self.types]

    def targets(self) -> NDArray[np.bool_]:
        """(e,) whether recommendations are judged by an event."""
        return np.array(self.target_types, np.bool_)[self.types]

    def with_weights(self, weights: Mapping[str, float]) -> "EventLog":
        """The same events; types with a weight here count by it."""
        if not weights:
            return self
        return replace(self, event_types=with_weights(self.event_types, weights))


def pairs_of(
    log: EventLog,
    half_life_days: float,
    popularity_half_life_days: float,
    catalogue: Collection[str] = (),
) -> InteractionMatrix:
    """Pairs of a log, ages as `recsys.core.shop_time` has them; without timestamps nothing decays.

    Only who and what has an event that counts or excludes gets a row.

    Args:
        catalogue: items that get a row in any case.
    """
    clock = None
    if log.timestamps_ms is not None and log.has_ages and len(log):
        clock = shop_time_of_events(log.timestamps_ms, log.users)
    counted = (log.weights() != 0) | log.excludes()
    if not counted.all():
        log = log.only(counted)
    if clock is None:
        strengths, recent = log.weights(), None
    else:
        age_ms = clock.ages_ms(log.times_ms())
        strengths = event_strengths(log.columns(), age_ms, half_life_days)
        recent = popularity_strengths(log.columns(), age_ms, popularity_half_life_days)
    user_ids, users = _used(log.user_ids, log.users)
    item_ids, items = _used(log.item_ids, log.items)
    item_ids = [*item_ids, *set(catalogue).difference(item_ids)]
    return pairs_from_codes(
        *(user_ids, item_ids, users, items),
        *(strengths, recent, log.excludes(), log.timestamps_ms),
    )


def _used(ids: Sequence[str], codes: NDArray[np.int32]) -> tuple[Sequence[str], NDArray[np.int32]]:
    """The ids that have an event, and the codes in these."""
    used = np.bincount(codes, minlength=len(ids)) > 0
    if used.all():
        return ids, codes
    renumbered = np.cumsum(used, dtype=np.int32) - 1
    return [ids[code] for code in np.flatnonzero(used).tolist()], renumbered[codes]
