"""The driver's side of an iteration: users solved by their shards, and sums over all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors, Spectrum
from recsys.training.als.half_step import PROJECTIONS, gramian_of, rotated, spectrum_of
from recsys.training.als.partial_sums import product_sums, residual_sums
from spark_jobs.distributed.sum_over_shards import sum_over_shards
from spark_jobs.distributed.user_shards import UserShards

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast, SparkContext


@dataclass(frozen=True)
class SolvedUsers:
    """Users who were solved against `items`, and what improves the items in turn.

    Attributes:
        items: (n, k) float32, in the basis of the users' factors.
        residual: (n, k) float32, the residual sums at `items`.
        gramian: (k, k), that of all users.
    """

    shards: "RDD[int]"
    users: UserShards
    iteration: int
    items: Factors
    residual: Factors
    gramian: NDArray[np.float64]

    def product(self, directions: Factors) -> Factors:
        """The product sums for directions (n, k)."""
        users, iteration = self.users, self.iteration
        with _sent(self.shards.context, directions) as sent:

            def add_up(shard: int) -> Factors:
                x = users.factors(shard, iteration)
                return users.sums(shard, x, product_sums, sent.value)

            return sum_over_shards(self.shards, add_up)


def solved_users(
    shards: "RDD[int]", users: UserShards, iteration: int, items: Factors
) -> SolvedUsers:
    """Let the shards improve their users once, and sum what the items lack then."""
    items, spectrum = _by_spectrum(items)
    with _sent(shards.context, items) as sent:

        def solve(shard: int) -> Factors:
            x = users.solve(shard, iteration, sent.value, spectrum, times=1)
            return users.sums(shard, x, residual_sums, sent.value)

        residual = sum_over_shards(shards, solve)
    return SolvedUsers(shards, users, iteration, items, residual, users.gramian(iteration))


def last_users(shards: "RDD[int]", users: UserShards, iteration: int, items: Factors) -> Factors:
    """Let the shards solve their users for good; returns the items in the basis of the users."""
    items, spectrum = _by_spectrum(items)
    with _sent(shards.context, items) as sent:

        def solve(shard: int) -> None:
            users.solve(shard, iteration, sent.value, spectrum, PROJECTIONS)

        shards.foreach(solve)
    return items


def _by_spectrum(items: Factors) -> tuple[Factors, Spectrum]:
    spectrum = spectrum_of(gramian_of(items))
    return rotated(items, spectrum.vectors, threads=1), spectrum


@contextmanager
def _sent(context: "SparkContext", vectors: Factors) -> "Iterator[Broadcast[Factors]]":
    sent = context.broadcast(vectors)
    try:
        yield sent
    finally:
        sent.destroy()
