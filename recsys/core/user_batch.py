"""Users as the nightly job stores them, many at a time: arrays, no object per user."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.behaviour import NO_REPURCHASES, StoredUser
from recsys.core.errors import InvalidModel
from recsys.core.model import History
from recsys.core.ranking import Indices
from recsys.core.repurchases import UserRepurchases
from recsys.core.scoring import Scores

NO_ITEM = -1


@dataclass(frozen=True)
class UserBatch:
    """b users, each with a list of up to n items and the history behind it.

    Attributes:
        user_ids: b ids, none twice.
        items: (b, n) item rows, best first, padded with NO_ITEM.
        scores: (b, n) float32, anything where padded.
        lengths: (b,) int64, how many of its n places a user's list fills.
        indptr: (b + 1,) int64, from 0; user i has histories indptr[i]:indptr[i + 1].
        histories: of all b users, one after the other.
        repurchases: what each bought more than once; None where nobody counted it.

    Raises:
        InvalidModel: when shapes disagree.
    """

    user_ids: Sequence[str]
    items: Indices
    scores: Scores
    lengths: NDArray[np.int64]
    indptr: NDArray[np.int64]
    histories: History
    repurchases: UserRepurchases | None = None

    def __post_init__(self) -> None:
        b, n = self.items.shape
        if {len(self.user_ids), len(self.lengths), len(self.indptr) - 1} != {b}:
            raise InvalidModel(f"a batch disagrees on how many users it has ({b} lists)")
        if self.scores.shape != (b, n) or not ((self.lengths >= 0) & (self.lengths <= n)).all():
            raise InvalidModel("the lists of a batch do not fit their scores or lengths")
        if (
            self.indptr[0] != 0
            or self.indptr[-1] != len(self.histories.items)
            or np.any(np.diff(self.indptr) < 0)
        ):
            raise InvalidModel("the histories of a batch do not fit their offsets")
        if self.repurchases is not None and len(self.repurchases.indptr) != b + 1:
            raise InvalidModel("the repurchases of a batch are those of more or fewer users")

    def user(self, row: int) -> StoredUser:
        """One of the b users alone."""
        best = slice(self.lengths[row])
        span = slice(self.indptr[row], self.indptr[row + 1])
        again = NO_REPURCHASES if self.repurchases is None else self.repurchases.of_user(row)
        history = self.histories.span(span)
        return StoredUser(self.items[row, best], self.scores[row, best], history, again)
