"""Behaviour of one user: the history in the model, and recent events since."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.event_types import has_effect
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.ranking import Indices
from recsys.core.recency import steps_of
from recsys.core.scoring import Scores
from recsys.core.strength import EventColumns, event_strengths

# Of a user's recent events that do not exclude, the newest: taste of the moment, and what one
# question reads and folds in.
MAX_RECENT_EVENTS = 200
# Of those that exclude, which no order and no night's backlog reaches: beyond this it is a robot.
MAX_RECENT_EXCLUSIONS = 10_000


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """An event since the last training, as serving remembers it. Times in UTC milliseconds.

    Quantity and price are there only where they count, see `counted_details`.
    """

    item_id: str
    event_type: str
    timestamp_ms: int
    received_ms: int
    quantity: float | None = None
    price: float | None = None


@dataclass(frozen=True)
class StoredUser:
    """A user as the nightly job stored them: the list, best first, and the history behind it."""

    items: Indices
    scores: Scores
    history: History


@dataclass(frozen=True, slots=True)
class RecentEvents:
    """A user's recent events as a store keeps them: compared as they are, read when they matter.

    Attributes:
        packed: equal exactly when the events are.
    """

    packed: tuple[Any, ...]
    unpack: Callable[[tuple[Any, ...]], list[RecentEvent]] = field(compare=False, repr=False)

    def events(self) -> list[RecentEvent]:
        return self.unpack(self.packed)


def current_history(
    items: ItemModel, params: ScoringParams, history: History, recent: Sequence[RecentEvent]
) -> History:
    """The history with recent events added; the very same object when none of them matters.

    Args:
        recent: in any order; those that are in the model already are passed over.
    """
    counted = [
        (row, event)
        for event in recent
        if has_effect(event.event_type, params.event_types)
        and _is_after_training(event, params)
        and (row := items.ids.index_of(event.item_id)) is not None
    ]
    if not counted:
        return history
    return _merged(history, _pairs_of(counted, params))


def _pairs_of(counted: Sequence[tuple[int, RecentEvent]], params: ScoringParams) -> History:
    """The items of these events in ascending order, with the time of the newest event as steps."""
    added, newest, excluded = dict[int, float](), dict[int, int](), set[int]()
    strengths = _strengths([event for _, event in counted], params).tolist()
    for (row, event), strength in zip(counted, strengths, strict=True):
        added[row] = added.get(row, 0.0) + strength
        newest[row] = max(newest.get(row, 0), event.timestamp_ms)
        if params.event_types[event.event_type].excludes:
            excluded.add(row)
    rows = sorted(added)
    return History(
        np.array(rows, np.int32),
        np.array([added[row] for row in rows]),
        np.array([row in excluded for row in rows]),
        np.array([newest[row] for row in rows]),
    )


def _merged(history: History, recent: History) -> History:
    """The history with the items of `recent` added to those it has, and others after them."""
    at = np.minimum(recent.items.searchsorted(history.items), len(recent.items) - 1)
    again = np.flatnonzero(recent.items[at] == history.items)
    at = at[again]
    fresh = np.ones(len(recent.items), np.bool_)
    fresh[at] = False
    strengths = np.concatenate([history.strengths, recent.strengths[fresh]])
    strengths[again] += recent.strengths[at]
    excluded = np.concatenate([history.excluded, recent.excluded[fresh]])
    excluded[again] |= recent.excluded[at]
    # What the model has is older than whatever came since.
    moments = np.concatenate([-1 - history.steps, recent.steps[fresh]])
    moments[again] = recent.steps[at]
    return History(
        np.concatenate([history.items, recent.items[fresh]]),
        # Rounded as in training, so that what cancels out is zero here too.
        strengths.round(6).astype(np.float32),
        excluded,
        steps_of(moments),
    )


def excluding(history: History, rows: Sequence[int]) -> History:
    """The history with further items that must not be recommended; they count nothing else."""
    excluded = history.excluded | np.isin(history.items, rows)
    added = np.setdiff1d(rows, history.items).astype(np.int32)
    none, steps = np.zeros(len(added), np.float32), np.zeros(len(added), np.int32)
    return History(
        np.concatenate([history.items, added]),
        np.concatenate([history.strengths, none]),
        np.concatenate([excluded, np.ones(len(added), np.bool_)]),
        np.concatenate([history.steps, steps]),
    )


def session_history(items: ItemModel, item_ids: Sequence[str]) -> History:
    """History of a user of whom only some items are known: each counts one, none comes back.

    Args:
        item_ids: in the order of behaviour, the newest last.
    """
    newest_first = dict.fromkeys(items.ids.index_of(item_id) for item_id in reversed(item_ids))
    rows = np.array([row for row in newest_first if row is not None], np.int32)
    steps = np.arange(len(rows), dtype=np.int32)
    return History(rows, np.ones(len(rows), np.float32), np.ones(len(rows), np.bool_), steps)


def _strengths(events: Sequence[RecentEvent], params: ScoringParams) -> NDArray[np.float64]:
    """Strength that each event adds to its pair, (e,)."""
    places: dict[str, int] = {}
    types = np.array([places.setdefault(event.event_type, len(places)) for event in events])
    columns = EventColumns(
        event_types=[params.event_types[name] for name in places],
        types=types,
        quantities=_numbers([event.quantity for event in events]),
        prices=_numbers([event.price for event in events]),
    )
    ages_ms = params.shop_time.ages_ms([event.timestamp_ms for event in events])
    return event_strengths(columns, ages_ms, params.half_life_days)


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64] | None:
    """NaN where there is none; None where no event has one."""
    if all(value is None for value in values):
        return None
    return np.array(values, np.float64)


def _is_after_training(event: RecentEvent, params: ScoringParams) -> bool:
    return event.received_ms >= params.read_at_ms or event.timestamp_ms >= params.end_ms
