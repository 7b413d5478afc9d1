"""The driver's side of an iteration: users solved by their shards, and sums over all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors
from recsys.training.als.half_step import gramian_of, spectrum_of, turned
from recsys.training.als.partial_sums import product_sums, residual_sums
from spark_jobs.distributed.sum_over_shards import sum_over_shards
from spark_jobs.distributed.user_shards import SumsOverUsers, UserShards

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast


@dataclass(frozen=True)
class ItemSums:
    """The `ColumnSums` of all items, over users who are solved against `items`.

    Attributes:
        items: (n, k) float32, in the basis of the users' factors.
        gramian: (k, k), that of all users.
    """

    shards: "RDD[int]"
    users: UserShards
    iteration: int
    items: Factors
    sent_items: "Broadcast[Factors]"
    gramian: NDArray[np.float64]

    def residual(self, row_factors: Factors) -> Factors:
        """See `ColumnSums`; the shards have `items` already."""
        if row_factors is not self.items:
            return self._sent(residual_sums, row_factors)
        return self._sum(residual_sums, self.sent_items)

    def product(self, directions: Factors) -> Factors:
        """See `ColumnSums`."""
        return self._sent(product_sums, directions)

    def _sent(self, over: SumsOverUsers, vectors: Factors) -> Factors:
        sent = self.shards.context.broadcast(vectors)
        try:
            return self._sum(over, sent)
        finally:
            sent.destroy()

    def _sum(self, over: SumsOverUsers, vectors: "Broadcast[Factors]") -> Factors:
        users, iteration = self.users, self.iteration
        return sum_over_shards(
            self.shards, lambda shard: users.sums(shard, iteration, over, vectors.value)
        )


@contextmanager
def solved_users(
    shards: "RDD[int]", users: UserShards, iteration: int, items: Factors, times: int
) -> Iterator[ItemSums]:
    """Let the shards improve their users so many times; what then can be asked of them."""
    spectrum = spectrum_of(gramian_of(items))
    items = turned(items, spectrum.basis, threads=1)
    sent = shards.context.broadcast(items)
    try:
        gramians = shards.map(
            lambda shard: users.solve(shard, iteration, sent.value, spectrum, times)
        ).collect()
        # In the order of the shards, so that rounding is the same every time.
        yield ItemSums(shards, users, iteration, items, sent, np.sum(gramians, axis=0))
    finally:
        sent.destroy()
