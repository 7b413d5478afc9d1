"""The two sides of a model around factors that a benchmark has trained."""

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.peers.exchange import Factors
from recsys.core.model import History, ItemModel, UserModel
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores
from recsys.core.vocabulary import Vocabulary


def item_model(factors: Factors, neighbours: Indices, neighbour_scores: Scores) -> ItemModel:
    """n items: factors (n, k), neighbours and their scores (n, m); all may be recommended."""
    items = len(factors)
    return ItemModel(
        ids=Vocabulary(f"item-{row:07}" for row in range(items)),
        titles=("",) * items,
        factors=factors,
        neighbours=neighbours,
        neighbour_scores=neighbour_scores,
        order_shares=np.zeros(neighbours.shape, np.float16),
        trend=np.ones(items, np.float32),
        popular=np.arange(items, dtype=np.int32),
        eligible=np.ones(items, np.bool_),
    )


def user_model(factors: Factors, strengths: csr_matrix) -> UserModel:
    """u users: factors (u, k), strengths (u, n); nothing is recommended again."""
    excluded, steps = np.ones(strengths.nnz, np.bool_), np.zeros(strengths.nnz, np.int32)
    histories = History(strengths.indices, strengths.data, excluded, steps)
    ids = Vocabulary(f"user-{row:07}" for row in range(len(factors)))
    return UserModel(ids, factors, strengths.indptr.astype(np.int64), histories)
