"""How far to trust that an item nobody has wanted yet is one that anybody will.

A catalogue holds what came this week beside what has not sold for years. Content tells neither
from the other, and would give to each the scores of items that do sell.
"""

import numpy as np
from numpy.typing import NDArray


def chances_to_sell(
    shoppers: NDArray[np.integer], eligible: NDArray[np.bool_], is_new: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """The chance that shoppers want an item, (n,): one of those they have wanted and of new ones.

    Of the others as many are expected to sell as Chao's estimate has kinds that a sample missed,
    f1 (f1 - 1) / 2 (f2 + 1), with f1 and f2 items of one and of two shoppers: where every item that
    sells has sold many times, hardly one has been overlooked. At least one is expected.
    (Chao, "Nonparametric Estimation of the Number of Classes in a Population", 1984, in the form
    corrected for bias.)

    Args:
        shoppers: (n,) how many have each item.
        eligible: (n,) bool, the items that may be recommended: only they are counted.
        is_new: (n,) bool, those that shoppers have had little time to find.
    """
    once, twice = ((eligible & (shoppers == count)).sum() for count in (1, 2))
    expected = max(once * (once - 1) / (2 * (twice + 1)), 1.0)
    unwanted = (shoppers == 0) & ~is_new
    chance = min(expected / max((unwanted & eligible).sum(), 1), 1.0)
    return np.where(unwanted, chance, 1.0).astype(np.float32)
