"""One shard of user or item factors in a model-parallel training."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.fold_in import Factors
from recsys.training.als.block import map_array, save_array
from recsys.training.als.half_step import gramian_of
from recsys.training.als.partial_sums import product_sums, residual_sums
from recsys.training.als.summed_half_step import summed_half_step
from spark_jobs.distributed.sharded_training import ShardedTraining
from spark_jobs.worker_process import freeze_gc


class EntityKind(Enum):
    """Kind of rows: users or items."""

    USER = "user"
    ITEM = "item"

    @property
    def other(self) -> "EntityKind":
        return EntityKind.ITEM if self is EntityKind.USER else EntityKind.USER


@dataclass(frozen=True)
class FactorShard:
    """The users, or the items, of one shard of a training: all that a half-step does to them.

    The shards of the other side pass through memory one at a time. Everything comes from files and
    goes to files, so a task can run again, anywhere, with the same result.
    """

    training: ShardedTraining
    side: EntityKind
    shard: int

    def half_step(
        self, turn: int, other_turn: int, gramian: NDArray[np.float64], times: int = 1
    ) -> NDArray[np.float64]:
        """Improve the factors of the shard so many times; returns their gramian, (k, k).

        Args:
            turn: number of the half-step of this side, from one.
            other_turn: that of the last half-step of the other side.
            gramian: (k, k), of all factors of the other side.
        """
        sums = self._strength_sums()
        lambdas = self._lambdas(sums)
        columns = _OtherSide(self, other_turn)
        x = self._before(turn)
        for _ in range(times):
            threads = self.training.threads
            residual = columns.residual(x)
            x = summed_half_step(residual, columns.product, gramian, lambdas, sums > 0, x, threads)
        save_array(self.training.path(self.side.value, self.shard, turn), x)
        # A task that runs again needs what was there before, not what was before that.
        self.training.path(self.side.value, self.shard, turn - 2).unlink(missing_ok=True)
        freeze_gc()
        return gramian_of(x)

    def strengths(self, other_shard: int) -> csr_matrix:
        """Those of the shard's rows with the columns of a shard of the other side."""
        grid = self.training.grid
        if self.side is EntityKind.USER:
            return grid.load(self.shard, other_shard).by_user
        return grid.load(other_shard, self.shard).by_item

    def _strength_sums(self) -> NDArray[np.float64]:
        grid = self.training.grid
        of_side = grid.user_sums if self.side is EntityKind.USER else grid.item_sums
        return of_side(self.shard)

    def _lambdas(self, sums: NDArray[np.float64]) -> NDArray[np.float32]:
        if self.side is EntityKind.USER:
            return self.training.user_lambdas(sums)
        return self.training.item_lambdas(sums)

    def _before(self, turn: int) -> Factors:
        # The first items are made up by the driver; users begin at zero.
        if self.side is EntityKind.USER and turn == 1:
            rows = self.training.grid.shape(self.shard, 0)[0]
            return np.zeros((rows, self.training.settings.factors), np.float32)
        return np.array(map_array(self.training.path(self.side.value, self.shard, turn - 1)))


@dataclass(frozen=True)
class _OtherSide:
    """Sums for a shard's rows over all shards of the other side, in their order."""

    rows: FactorShard
    turn: int

    def residual(self, row_factors: Factors) -> Factors:
        return self._sum(residual_sums, row_factors)

    def product(self, directions: Factors) -> Factors:
        return self._sum(product_sums, directions)

    def _sum(self, over: Callable[..., Factors], vectors: Factors) -> Factors:
        training, side = self.rows.training, self.rows.side.other
        grid, total = training.grid, np.zeros_like(vectors)
        for shard in range(grid.item_shards if side is EntityKind.ITEM else grid.user_shards):
            # Read, not mapped: rows are asked for in no order, and a file system may be far.
            factors = np.load(training.path(side.value, shard, self.turn))
            strengths = self.rows.strengths(shard)
            total += over(strengths, training.alpha, vectors, factors, training.threads)
        return total
