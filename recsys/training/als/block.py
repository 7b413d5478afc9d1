"""A block of a sharded matrix of strengths, kept in files that many processes map into memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from recsys.files import whole_file

_PARTS = ("indptr", "indices", "data")


@dataclass(frozen=True)
class Block:
    """Strengths between some users and some items, by either.

    Attributes:
        by_user: (b, m) float32, indices sorted.
        by_item: (m, b), the same transposed.
    """

    by_user: csr_matrix
    by_item: csr_matrix

    def transposed(self) -> "Block":
        """The same with users and items in each other's place."""
        return Block(self.by_item, self.by_user)

    def save(self, folder: Path) -> None:
        """Write the block; a reader sees all of a file or none of it."""
        folder.mkdir(parents=True, exist_ok=True)
        for side, matrix in (("user", self.by_user), ("item", self.by_item)):
            for part in _PARTS:
                save_array(folder / f"by-{side}-{part}.npy", getattr(matrix, part))

    @classmethod
    def load(cls, folder: Path, shape: tuple[int, int]) -> "Block":
        """Map the files of a block, so that they count as cache, not as memory of the process."""
        return cls(_load(folder, "user", shape), _load(folder, "item", shape[::-1]))


def block_of(
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    strengths: NDArray[np.float32],
    shape: tuple[int, int],
) -> Block:
    """Entries in any order, as a block."""
    by_user = coo_matrix((strengths, (users, items)), shape).tocsr()
    by_user.sort_indices()
    return Block(by_user, by_user.T.tocsr())


def save_array(path: Path, array: NDArray[np.generic]) -> None:
    """Write an array at once: two processes that write the same do no harm, nor does a dead one."""
    with whole_file(path, durable=False) as file:
        np.save(file, array)


def map_array(path: Path) -> NDArray[Any]:
    """The array of a file, mapped into memory; writing to it changes no file.

    Copy on write and without a class of its own, as the kernel is compiled for plain arrays.
    """
    return np.asarray(np.load(path, mmap_mode="c"))


def _load(folder: Path, side: str, shape: tuple[int, int]) -> csr_matrix:
    indptr, indices, data = (map_array(folder / f"by-{side}-{part}.npy") for part in _PARTS)
    return csr_matrix((data, indices, indptr), shape, copy=False)
