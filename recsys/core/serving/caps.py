"""Caps: how many items of one category, and of one brand, a list may have.

Compiled, since each candidate is looked at, and for diversity each again with every exchange.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.compiled import compiled
from recsys.core.ranking import Indices
from recsys.core.serving.controls import Controls
from recsys.core.serving.row_catalogue import RowCatalogue

# In the place of an item that leaves a list.
NOBODY = -1


class Caps(NamedTuple):
    """Groups of c candidates by g kinds of group, and how many of each group a list has so far.

    Attributes:
        codes: (g, c) the group of each candidate, 0 for none.
        maxima: (g,) of a kind's groups.
        counts: (g, s) items that the list has, by kind and group.
    """

    codes: NDArray[np.int32]
    maxima: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(
        cls, catalogue: RowCatalogue, rows: Indices, controls: Controls, taken: Sequence[int]
    ) -> "Caps":
        """Caps of candidates, with the rows that the list has already."""
        kinds = []
        if controls.max_per_category:
            kinds.append((catalogue.narrowest_categories(), controls.max_per_category))
        if controls.max_per_brand:
            kinds.append((catalogue.brands(), controls.max_per_brand))
        codes = np.zeros((len(kinds), len(rows)), np.int32)
        already = np.zeros((len(kinds), len(taken)), np.int32)
        for kind, (groups, _) in enumerate(kinds):
            codes[kind], already[kind] = groups[rows], groups[list(taken)]
        size = 1 + max(codes.max(initial=0), already.max(initial=0))
        counts = np.zeros((len(kinds), size), np.int64)
        for kind in range(len(kinds)):
            np.add.at(counts[kind], already[kind], 1)
        return cls(codes, np.array([maximum for _, maximum in kinds], np.int64), counts)


@compiled
def may_come(caps, coming, leaving):  # type: ignore[no-untyped-def]
    """Whether the list may have a candidate, too, once another one leaves, or NOBODY."""
    for kind in range(len(caps.maxima)):
        group = caps.codes[kind, coming]
        if group:
            count = caps.counts[kind, group]
            if leaving != NOBODY and caps.codes[kind, leaving] == group:
                count -= 1
            if count >= caps.maxima[kind]:
                return False
    return True


@compiled
def count(caps, candidate, difference):  # type: ignore[no-untyped-def]
    """Note that a candidate comes (1), or leaves (-1)."""
    for kind in range(len(caps.maxima)):
        caps.counts[kind, caps.codes[kind, candidate]] += difference


@compiled
def within_caps(caps, wanted, is_strict):  # type: ignore[no-untyped-def]
    """The first candidates that the caps allow, up to `wanted`.

    Unless they are strict, those that were passed over fill up what is missing.

    Returns:
        Positions of candidates; and how many the caps allow.
    """
    chosen = np.empty(wanted, np.int64)
    passed_over, passed = np.empty(caps.codes.shape[1], np.int64), 0
    found = 0
    for candidate in range(caps.codes.shape[1]):
        if found == wanted:
            break
        if may_come(caps, candidate, NOBODY):
            count(caps, candidate, 1)
            chosen[found] = candidate
            found += 1
        else:
            passed_over[passed] = candidate
            passed += 1
    allowed = found
    if not is_strict:
        for place in range(min(passed, wanted - allowed)):
            count(caps, passed_over[place], 1)
            chosen[found] = passed_over[place]
            found += 1
    return chosen[:found], allowed
