"""Recommended items, and the lists that they are taken from."""

from dataclasses import dataclass
from enum import Enum
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
class Recommendations:
    """Recommended items, best first, and where the first of them comes from."""

    ranked: tuple[Ranked, ...]
    source: Source
