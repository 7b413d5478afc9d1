"""A made-up shop in which the category decides who wants an item."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.domain import Item
from recsys.core.fold_in import Factors
from recsys.training.als import AlsSettings, train_als
from recsys.training.als.settings import Device
from recsys.training.content import ItemContent
from recsys.training.neighbours import NeighbourLists, item_neighbours

CATEGORIES = ("cups", "lamps", "rugs")
NOW_MS = 1_800_000_000_000
_LONG_AGO_MS = 1_600_000_000_000


@dataclass(frozen=True)
class TasteShop:
    """Every third item is of one category, every third user wants items of it alone.

    The new items came this week, the others long ago.

    Attributes:
        strengths: (u, n), nothing in the columns of new items.
        new: (n,) bool.
    """

    content: ItemContent
    strengths: csr_matrix
    new: NDArray[np.bool_]

    @property
    def shoppers(self) -> NDArray[np.int64]:
        return np.asarray(self.strengths.getnnz(axis=0), np.int64)

    def factors(self) -> tuple[Factors, Factors]:
        settings = AlsSettings(factors=8, iterations=8, device=Device.CPU)
        trained = train_als(self.strengths, settings)
        return trained.user_factors, trained.item_factors

    def neighbours(self) -> NeighbourLists:
        return item_neighbours(self.strengths, np.ones(len(self.new), np.bool_), 25)


def a_taste_shop(users: int = 90, items: int = 60, seed: int = 0) -> TasteShop:
    random = np.random.default_rng(seed)
    wanted = np.arange(users)[:, np.newaxis] % 3 == np.arange(items) % 3
    had = wanted & (random.random((users, items)) < 0.5)
    new = np.arange(items) >= items - 6
    had[:, new] = False
    catalogue = [
        Item(
            *(f"i{row}", f"Number {row}", ("home", CATEGORIES[row % 3])),
            created_ms=NOW_MS if new[row] else _LONG_AGO_MS,
        )
        for row in range(items)
    ]
    content = ItemContent.from_items(catalogue, NOW_MS)
    return TasteShop(content, csr_matrix(had.astype(np.float32)), np.asarray(new))
