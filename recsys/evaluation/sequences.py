"""Sequences: each user's items, one after the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.vocabulary import Vocabulary
from recsys.evaluation.splits import rows_of
from recsys.training.event_log import EventLog


@dataclass(frozen=True)
class Sequences:
    """Items of u users in order of time, in CSR form.

    Attributes:
        indptr: (u + 1,) int64, user row r has items[indptr[r]:indptr[r + 1]].
        items: item rows; no item directly follows itself.
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int64]

    def last_items(self, users: NDArray[np.int64]) -> NDArray[np.int64]:
        """(b,) the item each user had last; -1 for users without any, and for unknown ones."""
        last = np.full(len(users), -1, np.int64)
        known = np.flatnonzero(users < len(self.indptr) - 1)
        ends = self.indptr[users[known] + 1]
        filled = ends > self.indptr[users[known]]
        last[known[filled]] = self.items[ends[filled] - 1]
        return last


def sequences_of(log: EventLog, users: Vocabulary, items: Vocabulary) -> Sequences:
    """The events that count for something, in order of time; of one moment in that of the log.

    Raises:
        ConfigurationError: when the log has no timestamps.
    """
    user_rows = rows_of(users, log.user_ids)[log.users]
    item_rows = rows_of(items, log.item_ids)[log.items]
    counts = log.weights() > 0
    counts &= (user_rows < len(users)) & (item_rows < len(items))
    user_rows, item_rows = user_rows[counts], item_rows[counts]
    order = np.lexsort((log.times_ms()[counts], user_rows))
    user_rows, item_rows = user_rows[order], item_rows[order]
    # Looked at, put into the cart and bought is one step.
    new = np.diff(user_rows, prepend=-1) != 0
    new |= np.diff(item_rows, prepend=-1) != 0
    indptr = np.zeros(len(users) + 1, np.int64)
    np.cumsum(np.bincount(user_rows[new], minlength=len(users)), out=indptr[1:])
    return Sequences(indptr, item_rows[new])
