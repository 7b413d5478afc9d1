"""Recommended items, and the lists that they are taken from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

import numpy as np

from recsys.core.model import History
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores


class Source(Enum):
    """Origin of recommended items."""

    STORED = "stored"
    FOLD_IN = "fold_in"
    NEIGHBOURS = "neighbours"
    POPULAR = "popular"
    NEW = "new"
    RECENTLY_VIEWED = "recently_viewed"
    BOUGHT_TOGETHER = "bought_together"
    TRENDING = "trending"
    BUY_AGAIN = "buy_again"
    PINNED = "pinned"


@dataclass(frozen=True)
class PersonalList:
    """A user's list by the model alone, before items that may not be shown now are dropped.

    Attributes:
        items: item rows, best first.
        scores: one for each.
        history: what the list is based on; its excluded items are never shown.
    """

    items: Indices
    scores: Scores
    source: Source
    history: History


# That of a user of whom nothing is known: answers are what is popular.
NO_LIST = PersonalList(
    np.empty(0, np.int32), np.empty(0, np.float32), Source.POPULAR, History.empty()
)


class Ranked(NamedTuple):
    """One recommended item; `score` is None where it only fills the list up."""

    item_index: int
    score: float | None
    source: Source


@dataclass(frozen=True, slots=True)
class PinnedItem:
    """The row of an item, its position from 1 on, and the shop's rule that says so, if one does."""

    row: int
    position: int
    rule: str = ""


class Reason(NamedTuple):
    """Why an item is recommended.

    Attributes:
        code: `because_you_bought`, `because_you_viewed`, `similar_users`, `similar_to_item`, or the
            source of an item that is not scored for the user.
        seeds: rows of the items that explain most of it, at most three, the strongest first.
        score_parts: by name; they add up to the score of the item.
    """

    code: str
    seeds: tuple[int, ...]
    score_parts: Mapping[str, float]


class FallbackLevel(IntEnum):
    """How far items are from what was asked for first."""

    # All items come from the first generator.
    NONE = 0
    # Some come from a later one.
    FILLED = 1
    # All do.
    REPLACED = 2
    # No recommender responded, or the shop has no model: popular items stand in.
    STOOD_IN = 3


def fallback_level(from_first: int, count: int) -> FallbackLevel:
    """The level of so many items, of which some come from the first generator."""
    if not from_first:
        return FallbackLevel.REPLACED
    return FallbackLevel.NONE if from_first == count else FallbackLevel.FILLED


class Recommendations(NamedTuple):
    """Recommended items, best first, and where the first of them comes from.

    Attributes:
        reasons: one for each item where they were asked for, else none.
        weights: what boosts have multiplied each score by; none where nothing was boosted.
        rules: names of the shop's rules that had a part in it.
        is_relaxed: whether there is more of a category or brand than the caps allow, or items that
            the filter does not let pass.
        passing: how many items the filter lets pass, before those that fill the answer up; None
            for all.
    """

    ranked: tuple[Ranked, ...]
    source: Source
    fallback_level: FallbackLevel = FallbackLevel.NONE
    reasons: tuple[Reason, ...] = ()
    weights: tuple[float, ...] = ()
    rules: tuple[str, ...] = ()
    is_relaxed: bool = False
    passing: int | None = None

    def filled_up_with(self, others: "Recommendations") -> "Recommendations":
        """The answer, its scores already weighted, with items behind it that the filter refuses."""
        levels = {each.fallback_level for each in (self, others) if each.ranked}
        return Recommendations(
            self.ranked + others.ranked,
            self.source if self.ranked else others.source,
            levels.pop() if len(levels) == 1 else FallbackLevel.FILLED,
            self.reasons + others.reasons,
            rules=tuple(dict.fromkeys(self.rules + others.rules)),
            is_relaxed=self.is_relaxed or others.is_relaxed or bool(others.ranked),
            passing=len(self.ranked),
        )
