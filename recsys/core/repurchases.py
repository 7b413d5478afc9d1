"""Items that users bought more than once, and on which days."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import InvalidModel
from recsys.core.ranking import Indices

Days = NDArray[np.int32]


@dataclass(frozen=True)
class Repurchases:
    """Items that one user bought on two days or more; or of all users, one after the other.

    Attributes:
        items: (r,) item rows.
        counts: (r,) int32, on how many days.
        first_days, last_days: (r,) int32, days since 1970 in UTC.
    """

    items: Indices
    counts: NDArray[np.int32]
    first_days: Days
    last_days: Days

    @classmethod
    def empty(cls) -> "Repurchases":
        none = np.empty(0, np.int32)
        return cls(none, none, none, none)

    def span(self, rows: slice) -> "Repurchases":
        """A stretch of it, without copying."""
        return Repurchases(
            self.items[rows], self.counts[rows], self.first_days[rows], self.last_days[rows]
        )


@dataclass(frozen=True)
class UserRepurchases:
    """Those of u users in CSR form.

    Attributes:
        indptr: (u + 1,) int64, from 0; user row r has the values indptr[r]:indptr[r + 1].

    Raises:
        InvalidModel: when shapes disagree.
    """

    indptr: NDArray[np.int64]
    values: Repurchases

    def __post_init__(self) -> None:
        values, ends = self.values, self.indptr[[0, -1]].tolist()
        lengths = {len(values.counts), len(values.first_days), len(values.last_days)}
        if lengths != {len(values.items)} or ends != [0, len(values.items)]:
            raise InvalidModel("the repurchases of users do not fit their offsets")
        if np.any(np.diff(self.indptr) < 0):
            raise InvalidModel("the repurchases of users do not fit their offsets")

    def of_user(self, row: int) -> Repurchases:
        return self.values.span(slice(self.indptr[row], self.indptr[row + 1]))

    def of_users(self, rows: range) -> "UserRepurchases":
        """Those of consecutive users."""
        indptr = self.indptr[rows.start : rows.stop + 1]
        return UserRepurchases(indptr - indptr[0], self.values.span(slice(indptr[0], indptr[-1])))
