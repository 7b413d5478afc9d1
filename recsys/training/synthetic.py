"""A made-up shop of any size, for benchmarks: seeded, with the shapes that real behaviour has.

User activity and item popularity follow power laws: users with d interactions are as frequent as
d^-2, and the item of popularity rank r is drawn as often as (r + offset)^-1 (Zipf, Mandelbrot).
Users have tastes: what is drawn is mostly swapped for something as popular that suits them. So
there is something to learn which popularity does not tell.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.compiled import cached_njit
from recsys.core.errors import ConfigurationError

MAX_INTERACTIONS = np.iinfo(np.int32).max
_TASTES = 64
_TASTES_PER_USER = 3
_FOCUS = 0.8  # of the draws follow the user's tastes
_MAX_ACTIVE_SHARE = 0.1  # of the catalogue, unless the average user already has much of it
_HEAD_SHARE = 0.001  # of the catalogue is about as popular as the most popular item
_DRAWS_PER_PAIR = 30
_USERS_PER_BLOCK = 1024


@dataclass(frozen=True)
class SyntheticShop:
    """The size of a shop and the seed of its behaviour.

    Attributes:
        users, items: at least one each.
        interactions: distinct user-item pairs, at most users * items and 2^31 - 1.

    Raises:
        ConfigurationError: naming the size that makes no sense.
    """

    users: int
    items: int
    interactions: int
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least, most in (
            ("users", 1, MAX_INTERACTIONS),
            ("items", 1, MAX_INTERACTIONS),
            ("interactions", 0, min(self.users * self.items, MAX_INTERACTIONS)),
            ("seed", 0, 2**63),
        ):
            if not least <= getattr(self, name) <= most:
                raise ConfigurationError(f"{name} must be between {least} and {most}")

    def strengths(self) -> csr_matrix:
        """Behaviour (u, n) with exactly `interactions` stored pairs, float32, indices sorted.

        A strength is the number of times a user came back to an item: 1, 2, 3 ... with
        probabilities 1/2, 1/4, 1/8 ... The same seed gives the same matrix, whatever the number
        of threads. Needs 8 bytes a pair and little else.
        """
        random = np.random.default_rng(self.seed)
        degrees = random.permutation(self._degrees())
        indptr = np.concatenate([[0], np.cumsum(degrees)])
        indices = np.empty(self.interactions, np.int32)
        strengths = np.empty(self.interactions, np.float32)
        item_of_rank = random.permutation(self.items).astype(np.int32)
        seeds = random.integers(2**32, size=self.users, dtype=np.uint32)
        offset = max(1.0, _HEAD_SHARE * self.items)
        _fill(indptr, indices, strengths, item_of_rank, seeds, offset)
        matrix = csr_matrix(
            (strengths, indices, indptr.astype(np.int32)), shape=(self.users, self.items)
        )
        matrix.has_canonical_format = True
        return matrix

    def _degrees(self) -> NDArray[np.int64]:
        """Count the items of each user, from the least active user to the most active."""
        average = self.interactions / self.users
        most = max(_MAX_ACTIVE_SHARE * self.items, min(self.items, 4 * average))
        wanted = _power_law_quantiles(self.users, self.interactions, most)
        degrees = np.floor(wanted).astype(np.int64)
        missing = self.interactions - int(degrees.sum())
        # One more for those who lost most to rounding.
        degrees[np.argsort(degrees - wanted, kind="stable")[:missing]] += 1
        return degrees


def _power_law_quantiles(count: int, total: float, most: float) -> NDArray[np.float64]:
    """Quantiles of a density ~ x^-2 that ends at `most` and starts so that they sum to `total`."""
    shares = (np.arange(count) + 0.5) / count
    low, high = 0.0, most
    for _ in range(60):
        least = (low + high) / 2
        quantiles = 1 / (1 / least - shares * (1 / least - 1 / most))
        if quantiles.sum() > total:
            high = least
        else:
            low = least
    return quantiles


@cached_njit(parallel=True)
def _fill(indptr, indices, strengths, item_of_rank, seeds, offset):  # type: ignore[no-untyped-def]
    users = len(seeds)
    for block in prange((users + _USERS_PER_BLOCK - 1) // _USERS_PER_BLOCK):
        seen_by = np.full(len(item_of_rank), -1, np.int32)
        for user in range(block * _USERS_PER_BLOCK, min((block + 1) * _USERS_PER_BLOCK, users)):
            # A stream of random numbers a user: no thread's work depends on another's.
            np.random.seed(seeds[user])
            pairs = slice(indptr[user], indptr[user + 1])
            _choose_ranks(indices[pairs], user, seen_by, offset)
            indices[pairs] = item_of_rank[indices[pairs]]
            indices[pairs].sort()
            for pair in range(indptr[user], indptr[user + 1]):
                strengths[pair] = np.random.geometric(0.5)


@cached_njit()
def _choose_ranks(chosen, user, seen_by, offset):  # type: ignore[no-untyped-def]
    """Fill `chosen` with distinct popularity ranks that suit the user."""
    items = len(seen_by)
    tastes = np.random.randint(0, _TASTES, _TASTES_PER_USER)
    found = 0
    for _ in range(_DRAWS_PER_PAIR * len(chosen)):
        if found == len(chosen):
            return
        # The inverse of the distribution function of 1 / (r + offset) on [0, items).
        rank = int(offset * ((items + offset) / offset) ** np.random.random() - offset)
        if np.random.random() < _FOCUS:
            rank += tastes[np.random.randint(_TASTES_PER_USER)] - rank % _TASTES
        if rank < items and seen_by[rank] != user:
            seen_by[rank] = user
            chosen[found] = rank
            found += 1
    # Whoever has nearly all of what he likes takes what is popular.
    for rank in range(items):
        if found < len(chosen) and seen_by[rank] != user:
            chosen[found] = rank
            found += 1
