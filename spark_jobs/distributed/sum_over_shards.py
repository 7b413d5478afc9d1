"""One array summed over many tasks: each executor adds up a piece of it, in the order of shards."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from pyspark import RDD

_Array = NDArray[np.float32]


def sum_over_shards(shards: "RDD[int]", compute: Callable[[int], _Array]) -> _Array:
    """The sum of compute(shard) over the shards, arrays of rows.

    A reduce-scatter: every shard cuts its array into as many runs of rows as there are shards, a
    shuffle brings equal runs together, and the driver receives each sum once. Floats are added in
    the order of the shards, so the sum does not depend on which task came first.
    """
    count = shards.getNumPartitions()

    def cut(shard: int) -> Iterator[tuple[int, tuple[int, _Array]]]:
        for piece, rows in enumerate(np.array_split(compute(shard), count)):
            yield piece, (shard, rows)

    def add(pieces: Iterable[tuple[int, tuple[int, _Array]]]) -> Iterator[tuple[int, _Array]]:
        found = sorted(pieces, key=lambda piece: piece[1][0])
        total = found[0][1][1].copy()
        for _, (_, rows) in found[1:]:
            total += rows
        yield found[0][0], total

    # A piece's key is the partition that adds it up.
    moved = shards.flatMap(cut).partitionBy(count, lambda piece: piece)
    summed = dict(moved.mapPartitions(add).collect())
    return np.concatenate([summed[piece] for piece in range(count)])
