"""Diversity: exchange items of a list for ones that are less alike, one after the other.

How alike two items are is the cosine of their factors; an item without factors is like no other.
Choosing greedily by relevance and distance at once, as maximal marginal relevance does (Carbonell,
Goldstein, 1998), does not promise that a list gets more diverse when diversity counts more. Here
every exchange is one that raises the mean distance within the list, and which comes next does not
depend on how many are wanted: a higher diversity goes further along one and the same way. An
exchange is chosen by marginal relevance: who gives way has the least of it, who comes the most.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.core.ranking import Indices

# What relevance counts beside likeness in the choice of an exchange.
_RELEVANCE_SHARE = 0.5
# Less is rounding.
_LEAST_GAIN = 1e-4

Positions = NDArray[np.intp]
# Says which candidates may come when one leaves, (c,) bool.
MayReplace = Callable[[int], NDArray[np.bool_]]


def unit_vectors(factors: Factors, rows: Indices) -> Factors:
    """Factors of rows, (c, k), of length one; zeros for rows without."""
    vectors = np.zeros((len(rows), factors.shape[1]), np.float32)
    known = rows < len(factors)
    vectors[known] = factors[rows[known]]
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return np.asarray(vectors / np.maximum(lengths, np.float32(1e-12))[:, np.newaxis])


def intra_list_distance(vectors: Factors) -> float:
    """Mean of 1 - cosine over the pairs of l vectors of length one; 0 for fewer than two."""
    count = len(vectors)
    if count < 2:
        return 0.0
    total = vectors.sum(axis=0, dtype=np.float64)
    own = np.einsum("ij,ij->", vectors, vectors, dtype=np.float64)
    return float(1 - (total @ total - own) / (count * (count - 1)))


def diversified(
    vectors: Factors,
    relevance: NDArray[np.float32],
    chosen: list[int],
    fixed: list[int],
    exchanges: int,
    may_replace: MayReplace,
    on_exchange: Callable[[int, int], None],
) -> list[int]:
    """Exchange chosen candidates for others, each time with a gain in distance.

    Args:
        vectors: (c, k) of the candidates, see `unit_vectors`.
        relevance: (c,) positive.
        chosen: positions of the candidates in the list.
        fixed: positions of those that are in the list and stay there.
        exchanges: at most so many.
        on_exchange: called with who leaves and who comes.

    Returns:
        As many positions as were chosen, in no order.
    """
    count = len(chosen) + len(fixed)
    others = np.ones(len(relevance), np.bool_)
    others[chosen + fixed] = False
    members = np.array(chosen, np.intp)
    to_list = vectors @ vectors[chosen + fixed].sum(axis=0)
    own = np.einsum("ij,ij->i", vectors, vectors)
    worth = _RELEVANCE_SHARE * relevance / relevance.max(initial=np.float32(1e-12))
    share = (1 - _RELEVANCE_SHARE) / max(count - 1, 1)
    for _ in range(exchanges if count > 1 else 0):
        place = int((worth - share * (to_list - own))[members].argmin())
        leaving = int(members[place])
        beside_rest = to_list - vectors @ vectors[leaving]
        gains = beside_rest[leaving] - beside_rest > _LEAST_GAIN
        value = worth - share * beside_rest
        value[~(gains & others & may_replace(leaving))] = -np.inf
        coming = int(value.argmax())
        if value[coming] == -np.inf:
            break
        on_exchange(leaving, coming)
        members[place] = coming
        others[leaving], others[coming] = True, False
        to_list = beside_rest + vectors @ vectors[coming]
    return [int(member) for member in members]
