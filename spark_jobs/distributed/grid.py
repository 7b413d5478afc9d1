"""The matrix cut into blocks of users by items, in a folder that every executor sees.

Users are dealt out: shard s of S has the users s, s + S, s + 2S ..., and so with items. That
spreads the busy ones without counting anything, and what a shard solved is put in place by
`whole[s::S] = part`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.training.als.block import Block, map_array, save_array


@dataclass(frozen=True)
class Grid:
    """Grid of blocks of the interaction matrix, on files.

    Attributes:
        users, items: of the whole matrix.
        user_shards, item_shards: how often either side is cut; 1 leaves it whole.
    """

    folder: Path
    users: int
    items: int
    user_shards: int
    item_shards: int

    def shape(self, user_shard: int, item_shard: int) -> tuple[int, int]:
        """Users and items of a block."""
        return (
            len(range(user_shard, self.users, self.user_shards)),
            len(range(item_shard, self.items, self.item_shards)),
        )

    def blocks(self) -> Iterator[tuple[int, int]]:
        """The shards (user, item) of every block."""
        for user_shard in range(self.user_shards):
            for item_shard in range(self.item_shards):
                yield user_shard, item_shard

    def load(self, user_shard: int, item_shard: int) -> Block:
        folder = self._block(user_shard, item_shard)
        return Block.load(folder, self.shape(user_shard, item_shard))

    def save(self, user_shard: int, item_shard: int, block: Block) -> None:
        """Write a block, and the sums of its users' and items' strengths, in float64."""
        folder = self._block(user_shard, item_shard)
        block.save(folder)
        for side, matrix in (("user", block.by_user), ("item", block.by_item)):
            sums = np.asarray(matrix.sum(axis=1, dtype=np.float64)).ravel()
            save_array(folder / f"{side}-sums.npy", sums)

    def user_sums(self, user_shard: int) -> NDArray[np.float64]:
        """Sum the strengths of each user of a shard, over all items."""
        return self._sums("user", [(user_shard, item) for item in range(self.item_shards)])

    def item_sums(self, item_shard: int) -> NDArray[np.float64]:
        """Sum the strengths of each item of a shard, over all users."""
        return self._sums("item", [(user, item_shard) for user in range(self.user_shards)])

    def _sums(self, side: str, blocks: list[tuple[int, int]]) -> NDArray[np.float64]:
        first, *others = (self._block(*block) / f"{side}-sums.npy" for block in blocks)
        total = np.array(np.load(first))
        for path in others:
            total += map_array(path)
        return total

    def _block(self, user_shard: int, item_shard: int) -> Path:
        return self.folder / f"block-{user_shard:04}-{item_shard:04}"
