"""Shards of users in a data-parallel training."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors, Spectrum
from recsys.training.als.block import map_array, save_array
from recsys.training.als.half_step import gramian_of, rotated, solve_rows
from spark_jobs.distributed.sharded_training import ShardedTraining
from spark_jobs.worker_process import freeze_gc

SumsOverUsers = Callable[..., Factors]

_FACTORS, _GRAMIAN = "user", "user-gramian"


@dataclass(frozen=True)
class UserShards:
    """Tasks of one training: functions of the files of a shard and of what the driver sends.

    A task writes the factors of its users, and their gramian, to files of the iteration and reads
    those of the one before. So it can run again, anywhere, with the same result: nothing is lost
    with an executor.
    """

    training: ShardedTraining

    def solve(
        self, shard: int, iteration: int, items: Factors, spectrum: Spectrum, times: int
    ) -> Factors:
        """Improve the factors of the shard's users so many times; returns and keeps them.

        Args:
            iteration: counted from zero.
            items: (n, k) float32, in the basis of the spectrum of their gramian.
        """
        grid, path = self.training.grid, self.training.path
        strengths = grid.load(shard, 0).by_user
        lambdas = self.training.user_lambdas(grid.user_sums(shard))
        alpha, threads = self.training.alpha, self.training.threads
        x = rotated(self._before(shard, iteration, items.shape[1]), spectrum.vectors, threads)
        for _ in range(times):
            x = solve_rows(strengths, lambdas, alpha, spectrum.values, items, x, threads)
        for kept, array in ((_FACTORS, x), (_GRAMIAN, gramian_of(x))):
            save_array(path(kept, shard, iteration), array)
            # A task that runs again needs what was there before, not what was before that.
            path(kept, shard, iteration - 2).unlink(missing_ok=True)
        return x

    def sums(self, shard: int, x: Factors, over: SumsOverUsers, vectors: Factors) -> Factors:
        """Sum what the shard's users, with factors x, add to each item's system, (n, k) float32."""
        by_item = self.training.grid.load(shard, 0).by_item
        sums = over(by_item, self.training.alpha, vectors, x, self.training.threads)
        freeze_gc()
        return sums

    def factors(self, shard: int, iteration: int) -> Factors:
        """Those of the shard's users at the end of an iteration."""
        return map_array(self.training.path(_FACTORS, shard, iteration))

    def gramian(self, iteration: int) -> NDArray[np.float64]:
        """That of all users at the end of an iteration, (k, k)."""
        shards = range(self.training.grid.user_shards)
        # In the order of the shards, so that rounding is the same every time.
        parts = [np.load(self.training.path(_GRAMIAN, shard, iteration)) for shard in shards]
        total: NDArray[np.float64] = np.sum(parts, axis=0)
        return total

    def _before(self, shard: int, iteration: int, k: int) -> Factors:
        if iteration == 0:
            return np.zeros((self.training.grid.shape(shard, 0)[0], k), np.float32)
        return self.factors(shard, iteration - 1)
