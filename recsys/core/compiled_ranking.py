"""The best of many scores, compiled: for callers that hold one row of them after the other."""

import numpy as np

from recsys.core.compiled import compiled

_BISECTIONS = 24
_SIGN, _NOT_SIGN = np.uint32(1 << 31), np.uint32((1 << 31) - 1)
_LOWER_HALF = np.uint64((1 << 32) - 1)


@compiled
def best_of(rows, scores, n):  # type: ignore[no-untyped-def]
    """Of distinct rows the n with the highest finite scores, and these; as `ranking.top_n` does."""
    least, count = bar(scores, n), 0
    chosen, kept = np.empty(len(rows), np.int32), np.empty(len(rows), np.float32)
    for place in range(len(rows)):
        chosen[count], kept[count] = rows[place], scores[place]
        count += scores[place] >= least and -np.inf < scores[place] < np.inf
    rows, scores = descending(kept[:count], chosen[:count])
    return rows[:n].copy(), scores[:n].copy()


@compiled
def bar(scores, n):  # type: ignore[no-untyped-def]
    """A value that n of the scores reach, and hardly more of them do; -inf where there are fewer.

    By bisection: counting is one pass of wide registers, the exact n-th of them would take several
    times as long.
    """
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for score in scores:
        if score > -np.inf:
            low = min(low, score)
        high = max(high, score)
    if _count(scores, low) < n:
        return np.float32(-np.inf)
    for _ in range(_BISECTIONS):
        middle = np.float32(0.5) * low + np.float32(0.5) * high
        reached = _count(scores, middle)
        if reached < n:
            high = middle
        else:
            low = middle
            if reached <= n + n // 8:
                break
    return low


@compiled
def _count(scores, least):  # type: ignore[no-untyped-def]
    reached = 0
    for score in scores:
        reached += score >= least
    return reached


@compiled
def descending(scores, rows):  # type: ignore[no-untyped-def]
    """Distinct rows with their scores, best first, equal ones by row.

    One sort of integers: the bits of a float, turned so that they grow as it falls, then the row.
    """
    every, keys = scores.view(np.uint32), np.empty(len(scores), np.uint64)
    for place in range(len(scores)):
        # The two zeros are equal.
        bits = every[place] if scores[place] != 0 else np.uint32(0)
        keys[place] = np.uint64(_turned(bits)) << np.uint64(32) | np.uint64(rows[place])
    keys.sort()
    found, ordered = np.empty(len(keys), np.uint32), np.empty(len(keys), np.int32)
    for place in range(len(keys)):
        found[place] = _turned(np.uint32(keys[place] >> np.uint64(32)))
        ordered[place] = np.int32(keys[place] & _LOWER_HALF)
    return ordered, found.view(np.float32)


@compiled
def _turned(bits):  # type: ignore[no-untyped-def]
    """Bits of a float that grow as it falls; its own inverse."""
    return bits if bits & _SIGN else ~bits & _NOT_SIGN
