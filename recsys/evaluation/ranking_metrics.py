"""Metrics of each user's list against what the user turned to, binary relevance.

All take hits (t, k), whether the item at that place is relevant, and relevant (t,), the number of
items each user turned to, at least one; all return (t,) in 0..1. A list shorter than k is one whose
last places are no hits.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]
Relevant = NDArray[np.int64]
PerUser = NDArray[np.float64]


def recall_at_k(hits: Hits, relevant: Relevant) -> PerUser:
    """Hits in the first k over the number of relevant items, also where that is more than k."""
    return np.asarray(hits.sum(axis=1) / relevant)


def precision_at_k(hits: Hits, relevant: Relevant) -> PerUser:  # noqa: ARG001 - one signature
    """Hits in the first k over k."""
    return np.asarray(hits.mean(axis=1))


def ndcg_at_k(hits: Hits, relevant: Relevant) -> PerUser:
    """DCG@k over the best possible one (Järvelin & Kekäläinen, 2002), gain 1 / log2(rank + 1).

    The ideal list has min(k, number of relevant items) hits.
    """
    gains = 1.0 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.cumsum(gains)[np.minimum(relevant, hits.shape[1]) - 1]
    return np.asarray((hits * gains).sum(axis=1) / ideal)


def average_precision_at_k(hits: Hits, relevant: Relevant) -> PerUser:
    """Mean of the precision at each hit, a miss counting zero; its mean over users is map.

    Divided by min(k, number of relevant items), so that a perfect list scores one (McFee et al.,
    "The Million Song Dataset Challenge", 2012).
    """
    ranks = np.arange(1, hits.shape[1] + 1)
    precisions = np.cumsum(hits, axis=1) / ranks
    return np.asarray((precisions * hits).sum(axis=1) / np.minimum(relevant, hits.shape[1]))


def reciprocal_rank_at_k(hits: Hits, relevant: Relevant) -> PerUser:  # noqa: ARG001
    """1 / rank of the first hit, zero without one (Voorhees, TREC-8, 1999); its mean is mrr."""
    ranks = hits.argmax(axis=1) + 1
    return np.asarray(hits.any(axis=1) / ranks)


def hit_rate_at_k(hits: Hits, relevant: Relevant) -> PerUser:  # noqa: ARG001
    """One where any item is a hit, else zero."""
    return np.asarray(hits.any(axis=1), np.float64)


RANKING_METRICS: Mapping[str, Callable[[Hits, Relevant], PerUser]] = {
    "recall": recall_at_k,
    "ndcg": ndcg_at_k,
    "map": average_precision_at_k,
    "mrr": reciprocal_rank_at_k,
    "hit_rate": hit_rate_at_k,
    "precision": precision_at_k,
}
