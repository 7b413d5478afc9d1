"""The held-out future: which items each test user turned to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.user_batch import NO_ITEM as NO_ITEM

RankedLists = NDArray[np.int32]


@dataclass(frozen=True)
class TestSet:
    """Relevant items of t test users in CSR form; every user has at least one.

    Attributes:
        users: (t,) ascending user rows of training; rows from `known_users` on are strangers, one
            row each.
        indptr: (t + 1,), user j has items[indptr[j]:indptr[j + 1]].
        items: ascending item rows within a user; rows from `known_items` on are items that training
            does not know. They count as relevant, though no list can hold them: leaving them out
            would flatter a model that knows few items.
        known_users, known_items: how many rows training has.
    """

    # Not a test class, whatever pytest makes of its name.
    __test__ = False

    users: NDArray[np.int64]
    indptr: NDArray[np.int64]
    items: NDArray[np.int64]
    known_users: int
    known_items: int

    @classmethod
    def from_pairs(
        cls,
        user_rows: NDArray[np.integer],
        item_rows: NDArray[np.integer],
        known_users: int,
        known_items: int,
    ) -> "TestSet":
        """Pairs (p,), (p,) in any order; a pair that comes twice counts once."""
        stride = int(item_rows.max(initial=-1)) + 1
        keys = np.unique(user_rows.astype(np.int64) * stride + item_rows)
        rows, items = np.divmod(keys, max(stride, 1))
        users, counts = np.unique(rows, return_counts=True)
        return cls(users, _indptr(counts), items, known_users, known_items)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def relevant(self) -> NDArray[np.int64]:
        """(t,) how many items each user turned to."""
        return np.diff(self.indptr)

    @property
    def pair_users(self) -> NDArray[np.int64]:
        """(p,) the user row of every pair."""
        return np.repeat(self.users, self.relevant)

    @property
    def unknown_pairs(self) -> int:
        """Pairs whose item training does not know."""
        return int((self.items >= self.known_items).sum())

    def only(self, chosen: NDArray[np.bool_]) -> "TestSet":
        """The users where (t,) `chosen` is true."""
        counts = self.relevant
        items = self.items[np.repeat(chosen, counts)]
        indptr = _indptr(counts[chosen])
        return TestSet(self.users[chosen], indptr, items, self.known_users, self.known_items)

    def only_pairs(self, chosen: NDArray[np.bool_]) -> "TestSet":
        """The pairs where (p,) `chosen` is true, of the users who have any of these."""
        rows = np.repeat(np.arange(len(self)), self.relevant)
        counts = np.bincount(rows[chosen], minlength=len(self))
        users, indptr = self.users[counts > 0], _indptr(counts[counts > 0])
        return TestSet(users, indptr, self.items[chosen], self.known_users, self.known_items)

    def hits(self, lists: RankedLists) -> NDArray[np.bool_]:
        """(t, k): whether the item at that place of the user's list is relevant.

        Args:
            lists: (t, k) item rows, best first, padded with NO_ITEM.
        """
        stride = max(int(self.items.max(initial=0)), int(lists.max(initial=0))) + 1
        rows = np.arange(len(self), dtype=np.int64)
        wanted = np.repeat(rows, self.relevant) * stride + self.items
        listed = rows[:, np.newaxis] * stride + lists
        places = np.minimum(np.searchsorted(wanted, listed), len(wanted) - 1)
        return np.asarray((wanted[places] == listed) & (lists != NO_ITEM))


def _indptr(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    indptr = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=indptr[1:])
    return indptr
