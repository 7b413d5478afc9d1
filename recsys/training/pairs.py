"""User-item pairs as the nightly job prepares them, and the matrices made from them."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.model import History
from recsys.core.vocabulary import Vocabulary


@dataclass(frozen=True)
class Pairs:
    """All user-item pairs with any behaviour, in CSR order: by user row, then item row.

    Attributes:
        users, items: the vocabularies.
        indptr: (u + 1,) int64, user row r has pairs indptr[r]:indptr[r + 1].
        item_indices: (p,) int32.
        strengths: (p,) float32, zero where behaviour cancels out.
        recent_strengths: (p,) float32, the same by the short half-life of popularity.
        excluded: (p,) bool.
    """

    users: Vocabulary
    items: Vocabulary
    indptr: NDArray[np.int64]
    item_indices: NDArray[np.int32]
    strengths: NDArray[np.float32]
    recent_strengths: NDArray[np.float32]
    excluded: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.users), len(self.items)

    def histories(self) -> History:
        """The histories of all users, one after the other."""
        return History(self.item_indices, self.strengths, self.excluded)

    def matrix(self) -> csr_matrix:
        """The (u, n) matrix of positive strengths."""
        matrix = csr_matrix((self.strengths, self.item_indices, self.indptr), shape=self.shape)
        matrix = matrix.copy()
        matrix.eliminate_zeros()
        return matrix


def make_pairs(
    user_ids: NDArray[np.object_],
    item_ids: NDArray[np.object_],
    strengths: NDArray[np.float64],
    recent_strengths: NDArray[np.float64],
    excluded: NDArray[np.bool_],
    catalogue: Collection[str] = (),
) -> Pairs:
    """Order pairs by the bytes of their ids, so that the same data always makes the same model.

    Args:
        user_ids, item_ids: (p,) ids, each pair once.
        strengths, recent_strengths: (p,) sums of decayed weights; negative ones become zero.
        catalogue: items that get a row even when nobody touched them.
    """
    users = Vocabulary(sorted(set(user_ids.tolist()), key=str.encode))
    items = Vocabulary(sorted({*item_ids.tolist(), *catalogue}, key=str.encode))
    rows = _indices(users, user_ids)
    columns = _indices(items, item_ids)
    order = np.lexsort((columns, rows))
    indptr = np.zeros(len(users) + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=len(users)), out=indptr[1:])
    return Pairs(
        users=users,
        items=items,
        indptr=indptr,
        item_indices=columns[order],
        strengths=np.maximum(strengths[order], 0.0).astype(np.float32),
        recent_strengths=np.maximum(recent_strengths[order], 0.0).astype(np.float32),
        excluded=excluded[order],
    )


def _indices(vocabulary: Vocabulary, ids: NDArray[np.object_]) -> NDArray[np.int32]:
    return np.fromiter((vocabulary.index_of(i) for i in ids), np.int32, len(ids))
