"""One array summed over many tasks, in the order of shards."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from pyspark import RDD

_Array = NDArray[np.float32]

# The driver adds up so many arrays itself: in less time than a shuffle takes to begin.
FEW_SHARDS = 4


def sum_over_shards(shards: "RDD[int]", compute: Callable[[int], _Array]) -> _Array:
    """The sum of compute(shard) over the shards, arrays of rows.

    Floats are added in the order of the shards, so the sum does not depend on which task came
    first.
    """
    if shards.getNumPartitions() <= FEW_SHARDS:
        return _added(shards.map(compute).collect())
    return _reduced_and_scattered(shards, compute)


def _reduced_and_scattered(shards: "RDD[int]", compute: Callable[[int], _Array]) -> _Array:
    """Each executor adds up a piece of the array.

    Every shard cuts its array into as many runs of rows as there are shards, a shuffle brings
    equal runs together, and the driver receives each sum once.
    """
    count = shards.getNumPartitions()

    def cut(shard: int) -> Iterator[tuple[int, tuple[int, _Array]]]:
        for piece, rows in enumerate(np.array_split(compute(shard), count)):
            yield piece, (shard, rows)

    def add(pieces: Iterable[tuple[int, tuple[int, _Array]]]) -> Iterator[tuple[int, _Array]]:
        found = sorted(pieces, key=lambda piece: piece[1][0])
        yield found[0][0], _added(rows for _, (_, rows) in found)

    # A piece's key is the partition that adds it up.
    moved = shards.flatMap(cut).partitionBy(count, lambda piece: piece)
    summed = dict(moved.mapPartitions(add).collect())
    return np.concatenate([summed[piece] for piece in range(count)])


def _added(arrays: Iterable[_Array]) -> _Array:
    first, *others = arrays
    total = first.copy()
    for array in others:
        total += array
    return total
