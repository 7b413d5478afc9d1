"""Metrics of lists beyond accuracy: diversity, novelty, fairness to items.

All take lists (t, k) of item rows, padded with NO_ITEM.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from recsys.evaluation.held_out import NO_ITEM, RankedLists

# The sum of a list's vectors may be as long as there are users.
LISTS_PER_BLOCK = 64


def exposure(lists: RankedLists, items: int) -> NDArray[np.int64]:
    """(n,) in how many lists each item appears."""
    return np.bincount(lists[lists != NO_ITEM], minlength=items)


def coverage(exposures: NDArray[np.int64], eligible: NDArray[np.bool_]) -> float:
    """Share of the eligible items that appear in any list (catalogue coverage).

    Ge, Delgado-Battenfeld, Jannach, "Beyond Accuracy" (2010).
    """
    return float((exposures[eligible] > 0).sum() / max(eligible.sum(), 1))


def gini(exposures: NDArray[np.int64], eligible: NDArray[np.bool_]) -> float:
    """Gini coefficient of the exposure of eligible items: 0 all alike, towards 1 one item only.

    G = sum over j of (2 j - n - 1) x_j / (n sum x), exposures x in ascending order (Shani &
    Gunawardana, "Evaluating Recommendation Systems", 2011). NaN when nothing is shown.
    """
    ordered = np.sort(exposures[eligible]).astype(np.float64)
    n, total = len(ordered), ordered.sum()
    if not total:
        return float("nan")
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))


def self_information(owners: NDArray[np.integer], users: int) -> NDArray[np.float64]:
    """-log2 of the share of users who had an item in training, (n,), in bits.

    An item that nobody had counts as one that a single user had: surprising, but not infinitely.

    Args:
        owners: (n,) users who had the item.
        users: of training.
    """
    return np.asarray(np.log2(max(users, 1)) - np.log2(np.maximum(owners, 1)))


def novelty(lists: RankedLists, information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean self-information of each list's items, (t,) bits; NaN for an empty list.

    Zhou et al., "Solving the apparent diversity-accuracy dilemma" (2010).
    """
    filled = lists != NO_ITEM
    sums = np.where(filled, information[lists], 0.0).sum(axis=1)
    return _ratio(sums, filled.sum(axis=1))


def intra_list_diversity(
    lists: RankedLists, vectors: csr_matrix | NDArray[np.floating]
) -> NDArray[np.float64]:
    """1 - mean cosine over the pairs of a list, (t,); NaN for a list of less than two items.

    Ziegler et al., "Improving Recommendation Lists Through Topic Diversification" (2005). With
    items of length one, the cosines of all pairs sum up to (|sum of items|^2 - m) / 2.

    Args:
        vectors: (n, d), an item a row: who had it, or its factors. An item of zeros is like none.
    """
    vectors = csr_matrix(vectors)
    squares = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    unit = diags(np.where(squares > 0, squares, 1.0) ** -0.5) @ vectors
    blocks = [
        _diversity_of(lists[start : start + LISTS_PER_BLOCK], unit, squares > 0)
        for start in range(0, len(lists), LISTS_PER_BLOCK)
    ]
    return np.concatenate(blocks) if blocks else np.empty(0)


def _diversity_of(
    lists: RankedLists, unit: csr_matrix, is_unit: NDArray[np.bool_]
) -> NDArray[np.float64]:
    filled = lists != NO_ITEM
    lengths = filled.sum(axis=1)
    chosen = csr_matrix(
        (np.ones(lengths.sum()), lists[filled], np.concatenate([[0], np.cumsum(lengths)])),
        shape=(len(lists), unit.shape[0]),
    )
    sums = chosen @ unit
    together = np.asarray(sums.multiply(sums).sum(axis=1)).ravel() - chosen @ is_unit
    return np.asarray(1.0 - _ratio(together, lengths * (lengths - 1)))


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.integer]) -> NDArray[np.float64]:
    none = np.full(len(numerator), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=none, where=denominator > 0))
