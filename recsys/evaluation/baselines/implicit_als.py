"""ALS by `implicit` with the library's own defaults, on the CPU."""

import warnings

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.core.scoring import Scores
from recsys.evaluation.ranked_lists import ScoreFunction
from recsys.training.interactions import InteractionMatrix

with warnings.catch_warnings():
    # Of a GPU that it cannot use, which this baseline does not ask for.
    warnings.filterwarnings("ignore", ".*isabling GPU support")
    from implicit.cpu.als import AlternatingLeastSquares

SEED = 1


def implicit_als(pairs: InteractionMatrix) -> ScoreFunction:
    """Nothing set but the seed; a strength is the confidence, as the library takes values."""
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(random_state=SEED)
        model.fit(pairs.matrix(), show_progress=False)
    user_factors, item_factors = model.user_factors, model.item_factors

    def scores(users: NDArray[np.int64]) -> Scores:
        return np.asarray(user_factors[users] @ item_factors.T, np.float32)

    return scores
