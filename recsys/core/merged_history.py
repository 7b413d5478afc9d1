"""A history of some dozens of items and a few newer events made one, compiled."""

import numpy as np

from recsys.core.compiled import compiled


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
