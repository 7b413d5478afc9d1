"""How far to trust that an item nobody has wanted yet is one that anybody will.

A catalogue holds what came this week beside what has not sold for years. Content tells neither
from the other, and would give to each the scores of items that do sell.
"""

import numpy as np
from numpy.typing import NDArray

from recsys.training.interactions import LATE_SHARE

_Flags = NDArray[np.bool_]


def chances_to_sell(
    shoppers: NDArray[np.integer], found_lately: _Flags, eligible: _Flags, is_new: _Flags
) -> NDArray[np.float32]:
    """The chance that shoppers want an item, (n,): one of those they have wanted and of new ones.

    Of the others the higher of two estimates counts: how many of them shoppers have overlooked, and
    how well such items have sold lately. Each misses what the other sees. At least one is expected
    to sell.

    Args:
        shoppers: (n,) how many have each item.
        found_lately: (n,) bool, see `recsys.training.interactions`.
        eligible: (n,) bool, the items that may be recommended: only they are counted.
        is_new: (n,) bool, those that shoppers have had little time to find.
    """
    unwanted = (shoppers == 0) & ~is_new
    count = max(int((unwanted & eligible).sum()), 1)
    wanted = shoppers[eligible & (shoppers > 0)]
    lately = shoppers[eligible & found_lately & (shoppers > 0)]
    chance = max(_overlooked(wanted) / count, _sold_lately(wanted, lately, count), 1 / count)
    return np.where(unwanted, min(chance, 1.0), 1.0).astype(np.float32)


def _overlooked(wanted: NDArray[np.integer]) -> float:
    """Chao's estimate of the kinds that a sample missed, f1 (f1 - 1) / 2 (f2 + 1).

    f1 and f2 are items of one and of two shoppers: where all that sells has sold many times, hardly
    an item has been overlooked. What comes into the shop later is not in it. (Chao, "Nonparametric
    Estimation of the Number of Classes in a Population", 1984, in the form corrected for bias.)
    """
    once, twice = ((wanted == count).sum() for count in (1, 2))
    return float(once * (once - 1) / (2 * (twice + 1)))


def _sold_lately(wanted: NDArray[np.integer], lately: NDArray[np.integer], unwanted: int) -> float:
    """What an item that nobody had wanted before has sold lately, over what another one has.

    It sees what comes into the shop, and nothing where the last season brought nothing new.

    Args:
        wanted: shoppers of each item that has any, `lately` of those that were found lately.
        unwanted: how many items still have none.
    """
    others = len(wanted) - len(lately)
    sold_by_others = LATE_SHARE * wanted.sum() - lately.sum()
    # Where all happened at one moment nothing was found later than anything else.
    if not len(lately) or not others:
        return 0.0
    a_late_one = lately.sum() / (len(lately) + unwanted)
    return float(a_late_one * others / max(sold_by_others, 1.0))
