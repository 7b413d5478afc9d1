"""Objectives that the peers minimise, so that this project's ALS can be given the same task.

All have confidence c = 1 + alpha r. They differ in the lambda of a row, and in which side they
solve first, which matters to what a few iterations reach from the same start.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from benchmarks.peers.exchange import Factors
from recsys.training.als.loss import als_loss

ALPHA = 5.0


@dataclass(frozen=True)
class Objective:
    """A peer's regularization.

    Attributes:
        by_pairs: lambda is times the row's number of pairs, instead of one for all rows.
        regularization: that lambda.
        items_first: an iteration solves the items before the users.
    """

    by_pairs: bool
    regularization: float
    items_first: bool

    def lambdas(self, strengths: csr_matrix) -> NDArray[np.float32]:
        """Lambda of each row."""
        pairs = np.diff(strengths.indptr)
        scale = pairs if self.by_pairs else np.ones_like(pairs)
        return np.asarray(self.regularization * scale, np.float32)

    def loss(self, strengths: csr_matrix, users: Factors, items: Factors) -> float:
        by_item = strengths.T.tocsr()
        lambdas = self.lambdas(strengths), self.lambdas(by_item)
        return als_loss(strengths, ALPHA, users, items, *lambdas)


# The values suit the size of `make bench-train`: both weigh on an average row about alike.
OBJECTIVES = {
    "implicit": Objective(by_pairs=False, regularization=100.0, items_first=False),
    "mllib": Objective(by_pairs=True, regularization=1.0, items_first=True),
}
