"""Strength of an event: the one formula of training, evaluation, tuning, serving and notebooks.

    strength = weight * value * opinion * quantity ^ a * (price / typical price) ^ b
               * 2 ^ (-age / half-life)

Weight, exponents, typical price and half-life are those of the event's type. The strength of a
user-item pair is the sum over its events. What is popular is asked of the same sum by a shorter
half-life and without quantity and price: it is about how many users want an item now.

The opinion is what a rating says where the type counts it, see `opinion`: 1 at the top of its
scale, nothing in the middle, and below it negative. Without a rating it is 1.

Quantity and price are missing more often than not, and then count as one piece at the typical
price. Both are damped by an exponent below one: ten pieces are not ten times the interest. A price
counts relative to a typical one, since a plain power of it would change with the currency, and
would set priced events against those without a price by accident.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.core.event_types import EventType
from recsys.core.times import MS_PER_DAY

# A quantity, or a price over the typical one, beyond these is a wholesaler or a typing error, and
# must not outweigh everything else a user did. Zero becomes the lower one, so that an event
# whose quantity rounds to nothing still says that the user wanted the item.
MIN_RATIO, MAX_RATIO = 0.01, 100.0

_Numbers = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class EventColumns:
    """e events as the formula takes them.

    Attributes:
        event_types: the types that the events are of.
        types: (e,) positions in `event_types`.
        values: (e,) factors that events of a file bring along; None where none does.
        quantities, prices, ratings: (e,) NaN where unknown; None where no event has one.
    """

    event_types: Sequence[EventType]
    types: NDArray[np.integer]
    values: _Numbers | None = None
    quantities: _Numbers | None = None
    prices: _Numbers | None = None
    ratings: _Numbers | None = None


def event_strengths(
    events: EventColumns, ages_ms: ArrayLike, half_life_days: float
) -> NDArray[np.float64]:
    """Apply the formula, (e,).

    Args:
        ages_ms: (e,) or one for all, see `recsys.core.shop_time`.
        half_life_days: of the types that have none of their own.
    """
    half_lives = [kind.half_life_days or half_life_days for kind in events.event_types]
    return undecayed_strengths(events) * _left(events, ages_ms, half_lives)


def popularity_strengths(
    events: EventColumns, ages_ms: ArrayLike, half_life_days: float
) -> NDArray[np.float64]:
    """Apply the formula with the short memory of popularity, all events of one piece, (e,).

    A type that fades sooner by its own half-life does so here too; none lasts longer. A hundred
    pieces or a high price would make an old purchase look like one of today.
    """
    half_lives = [
        min(kind.half_life_days or half_life_days, half_life_days) for kind in events.event_types
    ]
    return _weighted(events) * _left(events, ages_ms, half_lives)


def undecayed_strengths(events: EventColumns) -> NDArray[np.float64]:
    """Strengths at an age of zero, (e,)."""
    found, kinds = _weighted(events), events.event_types
    if events.quantities is not None and any(kind.quantity_exponent for kind in kinds):
        exponents = np.array([kind.quantity_exponent for kind in kinds])
        found *= _damped(events.quantities, exponents[events.types])
    if events.prices is not None and any(kind.price_exponent for kind in kinds):
        exponents = np.array([kind.price_exponent for kind in kinds])
        typical = np.array([kind.typical_price for kind in kinds], np.float64)
        found *= _damped(events.prices / typical[events.types], exponents[events.types])
    return found


def weight_of(kind: EventType, rating: float | None) -> float:
    """Weight of one event: that of its type, times what its rating says."""
    if rating is None or not kind.rating_counts or kind.rating_scale is None:
        return kind.weight
    return kind.weight * float(opinion(rating, *kind.rating_scale))


def opinion(rating: ArrayLike, lowest: ArrayLike, highest: ArrayLike) -> NDArray[np.float64]:
    """How far a rating is above the middle of its scale, from -1 at its bottom to 1 at its top."""
    low, high = np.asarray(lowest, np.float64), np.asarray(highest, np.float64)
    above = (np.asarray(rating, np.float64) - (low + high) / 2) / ((high - low) / 2)
    # The scale of a type may have been another one when the event came.
    return np.asarray(np.clip(above, -1.0, 1.0))


def decay(age_ms: ArrayLike, half_life_days: ArrayLike) -> NDArray[np.float64]:
    """Decay of an event by age: 1 when new, 0.5 after a half-life.

    Negative ages count as new: an event that came after the reference time does not weigh more
    than one that came at it.
    """
    age_days = np.maximum(np.asarray(age_ms, dtype=np.float64), 0.0) / MS_PER_DAY
    half_lives = np.asarray(half_life_days, dtype=np.float64)
    return np.asarray(np.exp2(-age_days / half_lives))


def _weighted(events: EventColumns) -> NDArray[np.float64]:
    """Weight times value and opinion."""
    kinds = events.event_types
    weights = np.array([kind.weight for kind in kinds], np.float64)
    found = np.asarray(weights[events.types])
    if events.values is not None:
        found = found * events.values
    if events.ratings is not None and any(kind.rating_counts for kind in kinds):
        scales = np.array([_counted_scale(kind) for kind in kinds])[events.types]
        opinions = opinion(events.ratings, scales[:, 0], scales[:, 1])
        found = found * np.where(np.isnan(opinions), 1.0, opinions)
    return found


def _counted_scale(kind: EventType) -> tuple[float, float]:
    """NaN where the ratings of a type do not count."""
    if kind.rating_counts and kind.rating_scale is not None:
        return kind.rating_scale
    return np.nan, np.nan


def _left(
    events: EventColumns, ages_ms: ArrayLike, half_lives: Sequence[float]
) -> NDArray[np.float64]:
    """Decay of each event by age, from a half-life per type."""
    # One number for all events saves a column of them where types do not differ.
    same = len(set(half_lives)) == 1
    by_event = half_lives[0] if same else np.array(half_lives, np.float64)[events.types]
    return decay(ages_ms, by_event)


def _damped(ratios: _Numbers, exponents: _Numbers) -> NDArray[np.float64]:
    known = np.where(np.isnan(ratios), 1.0, ratios)
    return np.asarray(np.clip(known, MIN_RATIO, MAX_RATIO) ** exponents, np.float64)
