"""Content index: which items of a model are like one that the model does not know.

Content is text: a category path and each of its prefixes, the brand, each word of the title, the
level of the price, each attribute with its value. A feature has a weight, its inverse document
frequency; an item is the vector of the weights of its features, of length one. How alike two items
are is the cosine of their vectors (`recsys.training.content` calculates the same of all items).
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.catalogue import CatalogueRow
from recsys.core.errors import InvalidModel
from recsys.core.ranking import Indices
from recsys.core.vocabulary import Vocabulary

# The first part of a feature's name, followed by what tells it from others of its kind.
CATEGORY, BRAND, WORD, PRICE = "category", "brand", "word", "price"
TEXT, FLAG, NUMBER = "text", "flag", "number"
# Between the parts: a character that no id may contain, so that no category can look like a path.
STEP = "\0"

ALIKE_ITEMS = 20
# What nearly equals an item says far more about it than many that share its category.
SHARPNESS = 3


class Alike(NamedTuple):
    """Items like one item, the most alike first.

    Attributes:
        rows: (a,) item rows.
        weights: (a,) what each counts; they add up to one.
    """

    rows: Indices
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class ContentIndex:
    """The f features of a model's n items, and for each the items with behaviour that have it.

    Attributes:
        names: of the features, see `feature_names`.
        weights: (f,) float32, above zero.
        indptr: (f + 1,) int64; feature c has the items indptr[c]:indptr[c + 1] of `items`.
        items: (e,) int32 item rows.
        scales: (n,) float32, one over the length of each item's vector before it was made one.
        levels: of the price, by an empty name, and of each attribute that is a number: the bounds
            between its levels, ascending.

    Raises:
        InvalidModel: when shapes disagree or a number is not one.
    """

    names: Vocabulary
    weights: NDArray[np.float32]
    indptr: NDArray[np.int64]
    items: Indices
    scales: NDArray[np.float32]
    levels: Mapping[str, NDArray[np.float64]]

    def __post_init__(self) -> None:
        features = len(self.names)
        if (len(self.weights), len(self.indptr)) != (features, features + 1):
            raise InvalidModel("the content index disagrees on how many features there are")
        if self.indptr[0] or self.indptr[-1] != len(self.items) or (np.diff(self.indptr) < 0).any():
            raise InvalidModel("the features of the content index do not fit its items")
        if not ((self.items >= 0) & (self.items < len(self.scales))).all():
            raise InvalidModel("the content index points to an item that is not there")
        numbers: list[NDArray[np.floating]] = [self.weights, self.scales, *self.levels.values()]
        if not all(np.isfinite(each).all() for each in numbers):
            raise InvalidModel("a number of the content index is not finite")

    def alike(self, row: CatalogueRow) -> Alike:
        """The ALIKE_ITEMS items most like one that is none of them; none where nothing is known.

        A weight is the cube of the cosine, before it is divided by their sum.
        """
        found = (self.names.index_of(name) for name in feature_names(row, self.levels))
        features = [feature for feature in found if feature is not None]
        squares = np.square(self.weights[features])
        spans = [self.items[self.indptr[each] : self.indptr[each + 1]] for each in features]
        if not any(map(len, spans)):
            return Alike(np.empty(0, np.int32), np.empty(0, np.float32))
        shared = np.repeat(squares, [len(span) for span in spans])
        rows, places = np.unique(np.concatenate(spans), return_inverse=True)
        cosines = np.bincount(places, shared) * self.scales[rows] / np.sqrt(squares.sum())
        best = np.argsort(-cosines, kind="stable")[:ALIKE_ITEMS]
        weights = cosines[best] ** SHARPNESS
        return Alike(rows[best].astype(np.int32), (weights / weights.sum()).astype(np.float32))


def feature_names(row: CatalogueRow, levels: Mapping[str, NDArray[np.float64]]) -> set[str]:
    """Names of the features that an item has."""
    names = {f"{CATEGORY}{STEP}{path}" for path in _prefixes(row.categories)}
    if row.brand is not None:
        names.add(f"{BRAND}{STEP}{row.brand}")
    names.update(f"{WORD}{STEP}{word}" for word in _words(row.title or ""))
    if row.price is not None and "" in levels:
        names.add(f"{PRICE}{STEP}{_level(levels[''], row.price)}")
    for name, value in row.attributes.items():
        # A bool is a number to Python.
        if isinstance(value, bool):
            names.add(STEP.join((FLAG, name, str(value).lower())))
        elif isinstance(value, str):
            names.add(STEP.join((TEXT, name, value)))
        elif name in levels:
            names.add(STEP.join((NUMBER, name, str(_level(levels[name], value)))))
    return names


def _prefixes(path: tuple[str, ...]) -> Iterator[str]:
    return (STEP.join(path[:length]) for length in range(1, len(path) + 1))


def _words(title: str) -> set[str]:
    """Runs of letters, marks (which belong to the letter before them) and digits."""
    runs = groupby(title.lower(), key=lambda character: unicodedata.category(character)[0] in "LMN")
    return {"".join(run) for is_word, run in runs if is_word}


def _level(bounds: NDArray[np.float64], number: float) -> int:
    return int(np.searchsorted(bounds, number, side="right"))
