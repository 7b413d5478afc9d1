"""Histories of users up to this moment: what the model has, and recent events since.

A history has some dozens of items, and newer events are few: compiled loops make one of both.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.core.behaviour import RecentEvent
from recsys.core.compiled import compiled, well_behaved
from recsys.core.event_types import EventTypes
from recsys.core.model import History, ScoringParams
from recsys.core.ranking import Indices
from recsys.core.strength import EventColumns, event_strengths, weight_of
from recsys.core.vocabulary import RowOf


def current_history(
    row_of: RowOf, params: ScoringParams, history: History, recent: Sequence[RecentEvent]
) -> History:
    """The history with recent events added; the very same object when none of them matters.

    Args:
        recent: in any order; those that are in the model already are passed over.
    """
    return current_histories(row_of, params, [(history, recent)])[0]


def current_histories(
    row_of: RowOf,
    params: ScoringParams,
    users: Sequence[tuple[History, Sequence[RecentEvent]]],
) -> list[History]:
    """`current_history` of many users, whose events take little longer than those of one."""
    counted = [
        [
            (row, event)
            for event in recent
            if _says_something(event, params.event_types)
            and params.is_after_training(event.received_ms, event.timestamp_ms)
            and (row := row_of(event.item_id)) is not None
        ]
        for _, recent in users
    ]
    events = [event for of_user in counted for _, event in of_user]
    if not events:
        return [history for history, _ in users]
    rows = np.array([row for of_user in counted for row, _ in of_user], np.int32)
    times = np.array([event.timestamp_ms for event in events], np.int64)
    types = params.event_types
    excludes = np.array([types[event.event_type].excludes for event in events], np.bool_)
    strengths, end, found = _strengths(events, times, params), 0, []
    for (history, _), of_user in zip(users, counted, strict=True):
        own = slice(end, end := end + len(of_user))
        of_events = rows[own], strengths[own], excludes[own], times[own]
        found.append(with_events(history, *of_events) if of_user else history)
    return found


def with_events(
    history: History,
    rows: Indices,
    strengths: NDArray[np.float64],
    excludes: NDArray[np.bool_],
    times: NDArray[np.int64],
) -> History:
    """The history with e events added: what each is about, adds, excludes, and when it happened."""
    items, sums, excluded, steps = merged(
        well_behaved(history.items),
        well_behaved(history.strengths),
        well_behaved(history.excluded),
        well_behaved(history.steps),
        *(rows, strengths, excludes, times),
    )
    # Rounded as in training, so that what cancels out is zero here too.
    return History(items, sums.round(6).astype(np.float32), excluded, steps)


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


def session_history(row_of: RowOf, item_ids: Sequence[str]) -> History:
    """History of a user of whom only some items are known: each counts one, none comes back.

    Args:
        item_ids: in the order of behaviour, the newest last.
    """
    newest_first = dict.fromkeys(row_of(item_id) for item_id in reversed(item_ids))
    rows = np.array([row for row in newest_first if row is not None], np.int32)
    steps = np.arange(len(rows), dtype=np.int32)
    return History(rows, np.ones(len(rows), np.float32), np.ones(len(rows), np.bool_), steps)


def _says_something(event: RecentEvent, event_types: EventTypes) -> bool:
    """Tell it from one without an effect, by its type or by a rating in the middle of the scale."""
    kind = event_types.get(event.event_type)
    return kind is not None and (kind.excludes or weight_of(kind, event.rating) != 0)


def _strengths(
    events: Sequence[RecentEvent], times: NDArray[np.int64], params: ScoringParams
) -> NDArray[np.float64]:
    """Strength that each event adds to its pair, (e,)."""
    places: dict[str, int] = {}
    types = np.array([places.setdefault(event.event_type, len(places)) for event in events])
    columns = EventColumns(
        event_types=[params.event_types[name] for name in places],
        types=types,
        quantities=_numbers([event.quantity for event in events]),
        prices=_numbers([event.price for event in events]),
        ratings=_numbers([event.rating for event in events]),
    )
    return event_strengths(columns, params.shop_time.ages_ms(times), params.half_life_days)


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64] | None:
    """NaN where there is none; None where no event has one."""
    if all(value is None for value in values):
        return None
    return np.array(values, np.float64)


@compiled
def merged(items, strengths, excluded, steps, rows, added, excludes, times):  # type: ignore[no-untyped-def]
    """Add e events to a history of h items.

    Args:
        items, strengths, excluded, steps: (h,) as in `History`, no item twice.
        rows, added, excludes, times: (e,) items of events, the strength of each, whether it keeps
            its item from the user, and its time, larger than zero.

    Returns:
        The same of both: first the items of the history, then others by row. The strengths are
        float64 sums, in the order of the events.
    """
    new_rows, sums, bars, newest = _by_item(rows, added, excludes, times)
    size, longest = len(items), len(items) + len(new_rows)
    both, totals = np.empty(longest, np.int32), np.empty(longest, np.float64)
    barred, moments = np.empty(longest, np.bool_), np.empty(longest, np.int64)
    is_known = np.zeros(len(new_rows), np.bool_)
    for place in range(size):
        both[place], totals[place] = items[place], strengths[place]
        # What the model has is older than whatever came since.
        barred[place], moments[place] = excluded[place], -1 - steps[place]
        again = np.searchsorted(new_rows, items[place])
        if again < len(new_rows) and new_rows[again] == items[place]:
            is_known[again] = True
            totals[place] += sums[again]
            barred[place] |= bars[again]
            moments[place] = newest[again]
    for place in range(len(new_rows)):
        if not is_known[place]:
            both[size], totals[size] = new_rows[place], sums[place]
            barred[size], moments[size] = bars[place], newest[place]
            size += 1
    return both[:size], totals[:size], barred[:size], _steps(moments[:size])


@compiled
def _by_item(rows, added, excludes, times):  # type: ignore[no-untyped-def]
    """Events of one item together, items in ascending order."""
    order = np.argsort(rows, kind="mergesort")
    items, sums = np.empty(len(rows), np.int32), np.zeros(len(rows), np.float64)
    bars, newest = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.int64)
    count = 0
    for place in order:
        if count == 0 or items[count - 1] != rows[place]:
            items[count] = rows[place]
            count += 1
        sums[count - 1] += added[place]
        bars[count - 1] |= excludes[place]
        newest[count - 1] = max(newest[count - 1], times[place])
    return items[:count], sums[:count], bars[:count], newest[:count]


@compiled
def _steps(moments):  # type: ignore[no-untyped-def]
    """`recsys.core.recency.steps_of`."""
    order, found = np.argsort(moments), np.empty(len(moments), np.int32)
    step = 0
    for place in range(len(order) - 1, -1, -1):
        if place + 1 < len(order) and moments[order[place]] != moments[order[place + 1]]:
            step += 1
        found[order[place]] = step
    return found
