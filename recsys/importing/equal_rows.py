"""Counting rows that are equal to an earlier one of their file."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

# Of an id of 32 hexadecimal digits, half: two different rows of 100 million share it with a
# probability of 1 in 3,700, and then a count is off by one.
_DIGITS = 16


class EqualRows:
    """The content ids of a file's rows, eight bytes each, in sorted runs of growing size."""

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []
        self._lock = Lock()

    def add(self, content_ids: Sequence[str]) -> int:
        """Remember ids; return how many of them are new."""
        digests = bytes.fromhex("".join([each[:_DIGITS] for each in content_ids]))
        run = np.unique(np.frombuffer(digests, np.uint64))
        with self._lock:
            for known in self._runs:
                places = np.minimum(np.searchsorted(known, run), len(known) - 1)
                run = run[known[places] != run]
            new = len(run)
            # A run takes in those of its size or less, so that there are few of them.
            while self._runs and len(self._runs[-1]) <= len(run):
                run = np.concatenate([self._runs.pop(), run])
                # In place: of a large file no third copy.
                run.sort()
            if len(run):
                self._runs.append(run)
        return new
