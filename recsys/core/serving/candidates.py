"""Candidates of a live answer: what is scored exactly instead of the whole catalogue.

The candidates of a user are

- the most popular items that may be shown, for all users the same, and
- the best neighbours of the user's history, by the sum of their scores times trend, and
- the history itself, as far as it may be shown again, and the user's nightly list.

A score hardly ever puts another item among the first twenty: the lists are those of all items but
for less than one place in a hundred, on every data set that this was tried on. Where no more items
may be shown than are popular here, they are the same, since then the candidates are all of them.

The work for an answer depends on the history, and not on how many items there are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.core.model import ItemModel
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores

# On shops of 4,500 to 20,000 items a thousand popular ones leave 0.3 % of the first twenty to be
# found elsewhere, 500 some 3 %. They lie side by side, so that they cost little.
MAX_POPULAR = 1000


class EligibleItems(NamedTuple):
    """The items that may be recommended at one moment.

    Attributes:
        popular: (p,) the most popular of them, in the order of rows; all, where there are few.
        popular_place: (n + m,) int32, the position among the popular ones, or -1.
        popular_factors: (p, k).
        popular_trend: (p,).
        neighbour_trend: (n + m,) the trend of items that are candidates as neighbours only; zero
            for those that are popular, or may not be shown, and for the m that came later.
    """

    popular: Indices
    popular_place: Indices
    popular_factors: Factors
    popular_trend: Scores
    neighbour_trend: Scores

    @classmethod
    def where(cls, items: ItemModel, mask: NDArray[np.bool_], rows: int) -> "EligibleItems":
        """The items where an (n,) mask is true.

        Args:
            rows: n + m.
        """
        popular = np.sort(most_popular(items, mask))
        neighbour_trend = np.zeros(rows, np.float32)
        neighbour_trend[: len(mask)] = np.where(mask, items.trend, np.float32(0))
        neighbour_trend[popular] = 0
        place = np.full(rows, -1, np.int32)
        place[popular] = np.arange(len(popular))
        factors, trend = items.factors[popular], items.trend[popular]
        return cls(popular, place, factors, trend, neighbour_trend)


def most_popular(items: ItemModel, mask: NDArray[np.bool_]) -> Indices:
    """Rows of the MAX_POPULAR most popular items where a mask is true, the most popular first."""
    return items.popular[mask.take(items.popular)][:MAX_POPULAR]
