"""What is known of one shopper: what the nightly job left, and what happened since."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recsys.core.confidence import decay
from recsys.core.event_types import has_effect
from recsys.core.model import History, ItemSide, Recipe
from recsys.core.ranking import Indices
from recsys.core.recency import steps_of
from recsys.core.scoring import Scores

# Of a shopper's recent events that do not exclude, the newest: taste of the moment, and what one
# question reads and folds in.
MAX_RECENT_EVENTS = 200
# Of those that exclude, which no order and no night's backlog reaches: beyond this it is a robot.
MAX_RECENT_EXCLUSIONS = 10_000


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """An event since the last training, as serving remembers it. Times in UTC milliseconds."""

    item_id: str
    event_type: str
    timestamp_ms: int
    received_ms: int


@dataclass(frozen=True)
class StoredUser:
    """What the nightly job left for one user: the list (best first) and the history behind it."""

    items: Indices
    scores: Scores
    history: History


@dataclass(frozen=True, slots=True)
class RememberedEvents:
    """A shopper's recent events as a store keeps them: compared as they are, read when they matter.

    Attributes:
        packed: equal exactly when the events are.
    """

    packed: tuple[Any, ...]
    unpack: Callable[[tuple[Any, ...]], list[RecentEvent]] = field(compare=False, repr=False)

    def events(self) -> list[RecentEvent]:
        return self.unpack(self.packed)


def current_history(
    items: ItemSide, recipe: Recipe, history: History, recent: Sequence[RecentEvent]
) -> History:
    """The history with recent events added; the very same object when none of them matters.

    Args:
        recent: in any order; those that are in the model already are passed over.
    """
    strength = dict(zip(history.items.tolist(), history.strengths.tolist(), strict=True))
    excluded = set(history.items[history.excluded].tolist())
    # What the model has is older than whatever came since.
    moment = dict(zip(history.items.tolist(), (-1 - history.steps).tolist(), strict=True))
    shop_time = recipe.shop_time
    new = [event for event in recent if _is_new(event, recipe)]
    rows_of_new = [items.ids.index_of(event.item_id) for event in new]
    if all(item_index is None for item_index in rows_of_new):
        return history
    for event, item_index in zip(new, rows_of_new, strict=True):
        if item_index is None:
            continue
        moment[item_index] = max(moment.get(item_index, 0), event.timestamp_ms)
        kind = recipe.event_types[event.event_type]
        age_ms = shop_time.ages_ms(event.timestamp_ms)
        weight = kind.weight * float(decay(age_ms, recipe.half_life_days))
        strength[item_index] = strength.get(item_index, 0.0) + weight
        if kind.excludes:
            excluded.add(item_index)
    rows = np.fromiter(strength, np.int32, len(strength))
    values = np.maximum(np.fromiter(strength.values(), np.float32, len(strength)), 0.0)
    flags = np.fromiter((row in excluded for row in strength), np.bool_, len(strength))
    return History(rows, values, flags, steps_of([moment[row] for row in strength]))


def session_history(items: ItemSide, item_ids: Sequence[str]) -> History:
    """That of a shopper of whom only some items are known: each counts one, none comes back.

    Args:
        item_ids: in the order of behaviour, the newest last.
    """
    newest_first = dict.fromkeys(items.ids.index_of(item_id) for item_id in reversed(item_ids))
    rows = np.array([row for row in newest_first if row is not None], np.int32)
    steps = np.arange(len(rows), dtype=np.int32)
    return History(rows, np.ones(len(rows), np.float32), np.ones(len(rows), np.bool_), steps)


def _is_new(event: RecentEvent, recipe: Recipe) -> bool:
    """Whether an event has an effect, and the model does not know it."""
    after = event.received_ms >= recipe.read_at_ms or event.timestamp_ms >= recipe.end_ms
    return after and has_effect(event.event_type, recipe.event_types)
