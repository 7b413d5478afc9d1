"""User-item pairs as training takes them, and the matrices made from them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from recsys.core.model import History, Steps
from recsys.core.recency import recency
from recsys.core.vocabulary import Vocabulary
from recsys.core.wording import pluralize

_Codes = NDArray[np.int32]

# No shopper counts for more than this share of all behaviour, in a shop where that is ten average
# shoppers or more: a robot's million views would otherwise decide alpha, and with it how much
# everybody else counts. The busiest wholesaler of the demo's shop has a share of 1.5 %.
_MAX_USER_SHARE = 0.05
_MIN_USERS_TO_LIMIT = 200

# Of the pairs, by time: enough to see what a shop's newest items sell, and hardly another season.
LATE_SHARE = 0.1


@dataclass(frozen=True)
class InteractionMatrix:
    """All user-item pairs with any behaviour, in CSR order: by user row, then item row.

    Attributes:
        users, items: the vocabularies.
        indptr: (u + 1,) int64, user row r has pairs indptr[r]:indptr[r + 1].
        item_indices: (p,) int32.
        strengths: (p,) float32, zero where behaviour cancels out, negative where a dislike or a
            return outweighs the rest. Only positive ones are trained on.
        recent_strengths: (p,) float32, the same by the short half-life of popularity, never below
            zero: nobody takes away from what others want.
        excluded: (p,) bool.
        steps: (p,) int32, how many later moments of behaviour the user has, see
            `recsys.core.recency`; zeros in data without time.
        found_lately: (n,) bool, the items that nobody had anything to do with before the last
            LATE_SHARE of all pairs; none in data without ages.
        limited_users: how many users had more than _MAX_USER_SHARE of all strengths, and have that.
    """

    users: Vocabulary
    items: Vocabulary
    indptr: NDArray[np.int64]
    item_indices: NDArray[np.int32]
    strengths: NDArray[np.float32]
    recent_strengths: NDArray[np.float32]
    excluded: NDArray[np.bool_]
    steps: Steps
    found_lately: NDArray[np.bool_]
    limited_users: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.users), len(self.items)

    def limit_note(self) -> str | None:
        """Line for people about users who count less than they did; None where there are none."""
        if not self.limited_users:
            return None
        have, count = ("has", "counts") if self.limited_users == 1 else ("have", "count")
        return (
            f"{pluralize(self.limited_users, 'user')} {have} more than {_MAX_USER_SHARE:.0%} of all"
            f" behaviour, as robots do, and {count} as {_MAX_USER_SHARE:.0%}"
        )

    def histories(self) -> History:
        """The histories of all users, one after the other."""
        return History(self.item_indices, self.strengths, self.excluded, self.steps)

    @property
    def is_ordered(self) -> bool:
        """True where it is known what anybody did first."""
        return bool(self.steps.any())

    def matrix(self) -> csr_matrix:
        """The (u, n) matrix of positive strengths."""
        return self._matrix(self.strengths)

    def faded_matrix(self, step_half_life: float | None) -> csr_matrix:
        """The (u, n) matrix of what recency leaves of positive strengths."""
        return self._matrix(self.strengths * recency(self.steps, step_half_life))

    def _matrix(self, values: NDArray[np.float32]) -> csr_matrix:
        positive = np.maximum(values, 0)
        matrix = csr_matrix((positive, self.item_indices, self.indptr), shape=self.shape).copy()
        matrix.eliminate_zeros()
        return matrix


def make_pairs(
    user_ids: NDArray[np.object_],
    item_ids: NDArray[np.object_],
    strengths: NDArray[np.float64],
    recent_strengths: NDArray[np.float64],
    excluded: NDArray[np.bool_],
    catalogue: Collection[str] = (),
    times_ms: NDArray[np.int64] | None = None,
) -> InteractionMatrix:
    """`pairs_from_codes` of ids (p,), (p,); items of the catalogue get rows even without a pair."""
    users, user_codes = _encode(user_ids)
    items, item_codes = _encode(item_ids)
    items += sorted(set(catalogue).difference(items))
    return pairs_from_codes(
        users, items, user_codes, item_codes, strengths, recent_strengths, excluded, times_ms
    )


def pairs_from_codes(
    user_ids: Sequence[str],
    item_ids: Sequence[str],
    user_codes: _Codes,
    item_codes: _Codes,
    strengths: NDArray[np.floating],
    recent_strengths: NDArray[np.floating] | None,
    excluded: NDArray[np.bool_],
    times_ms: NDArray[np.int64] | None,
) -> InteractionMatrix:
    """Sum what is known of each pair, rows ordered by the bytes of ids.

    The same data makes the same pairs, in whatever order it comes: sums are rounded to six places.

    Args:
        user_ids, item_ids: each id once; every one gets a row.
        user_codes, item_codes: (e,) positions in these.
        strengths: (e,) of events or of parts of pairs, see `recsys.core.strength`.
        recent_strengths: (e,) the same for popularity, where a sum below zero becomes zero. None
            for data without time: what was ever wanted is wanted now, which means no trend.
        excluded: (e,) bool; a pair is excluded when any of its entries is.
        times_ms: (e,) int64, when it happened; None for data without order.
    """
    users, user_rows = _ordered(user_ids)
    items, item_rows = _ordered(item_ids)
    places = (user_rows[user_codes], item_rows[item_codes])
    shape = (len(users), len(items))
    found = _strengths(strengths, places, shape)
    limited_users = _limit_users(found)
    newest = None if times_ms is None else _newest(found, places, times_ms)
    found_lately = np.zeros(len(items), np.bool_)
    if recent_strengths is None:
        recent = (found.data > 0).astype(np.float32)
    else:
        recent = np.maximum(_strengths(recent_strengths, places, shape).data, 0)
        if newest is not None:
            found_lately = _found_lately(found, newest)
    return InteractionMatrix(
        users=users,
        items=items,
        indptr=found.indptr.astype(np.int64),
        item_indices=found.indices.astype(np.int32, copy=False),
        strengths=found.data,
        recent_strengths=recent,
        excluded=_sums(excluded.astype(np.int32), places, shape).data > 0,
        steps=np.zeros(found.nnz, np.int32) if newest is None else _steps(found, newest),
        found_lately=found_lately,
        limited_users=limited_users,
    )


def _newest(
    pairs: csr_matrix, places: tuple[_Codes, _Codes], times_ms: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Time of the newest entry of each pair, (p,)."""
    keys = _users_of(pairs) * pairs.shape[1] + pairs.indices
    entries = np.searchsorted(keys, places[0].astype(np.int64) * pairs.shape[1] + places[1])
    newest = np.full(pairs.nnz, np.iinfo(np.int64).min)
    np.maximum.at(newest, entries, times_ms)
    return newest


def _users_of(pairs: csr_matrix) -> NDArray[np.int64]:
    return np.repeat(np.arange(pairs.shape[0], dtype=np.int64), np.diff(pairs.indptr))


def _found_lately(pairs: csr_matrix, newest: NDArray[np.int64]) -> NDArray[np.bool_]:
    """See `InteractionMatrix`, by the newest entry of each pair: all that Spark's pairs have."""
    if not len(newest):
        return np.zeros(pairs.shape[1], np.bool_)
    since = np.quantile(newest, 1 - LATE_SHARE, method="higher")
    first = np.full(pairs.shape[1], np.iinfo(np.int64).max)
    np.minimum.at(first, pairs.indices, newest)
    return (first >= since) & (first < np.iinfo(np.int64).max)


def _steps(pairs: csr_matrix, newest: NDArray[np.int64]) -> Steps:
    """Number of later moments of each pair's user, by the newest entry of each pair."""
    users = _users_of(pairs)
    order = np.lexsort((-newest, users))
    is_new_user = np.diff(users[order], prepend=-1) != 0
    is_new_moment = np.diff(newest[order], prepend=0) != 0
    moments = np.cumsum(is_new_moment | is_new_user)
    first = np.maximum.accumulate(np.where(is_new_user, moments, 0))
    steps = np.empty(pairs.nnz, np.int32)
    steps[order] = moments - first
    return steps


def _strengths(
    weights: NDArray[np.floating], places: tuple[_Codes, _Codes], shape: tuple[int, int]
) -> csr_matrix:
    sums = _sums(weights.astype(np.float64, copy=False), places, shape)
    sums.data = np.round(sums.data, 6).astype(np.float32)
    return sums


def _limit_users(strengths: csr_matrix) -> int:
    """Scale down, in place, the strengths of users who have too large a share of positive ones.

    Returns:
        How many users these are.
    """
    sums = np.asarray(strengths.maximum(0).sum(axis=1, dtype=np.float64)).ravel()
    if len(sums) < _MIN_USERS_TO_LIMIT:
        return 0
    limits = _MAX_USER_SHARE / (1 - _MAX_USER_SHARE) * (sums.sum() - sums)
    # Without any behaviour of others there is nothing to compare with.
    limited = np.flatnonzero((sums > limits) & (limits > 0))
    for row in limited:
        span = slice(strengths.indptr[row], strengths.indptr[row + 1])
        strengths.data[span] *= limits[row] / sums[row]
    return len(limited)


def _sums(
    values: NDArray[np.generic], places: tuple[_Codes, _Codes], shape: tuple[int, int]
) -> csr_matrix:
    """The values of each pair added up, columns in order; what adds up to zero stays."""
    return coo_matrix((values, places), shape=shape).tocsr()


def _ordered(ids: Sequence[str]) -> tuple[Vocabulary, _Codes]:
    """A vocabulary in the order of bytes, and the row in it of each of `ids`.

    Code points, which Python compares texts by, sort as their UTF-8 does.
    """
    order = sorted(range(len(ids)), key=ids.__getitem__)
    rows = np.empty(len(ids), np.int32)
    rows[order] = np.arange(len(ids), dtype=np.int32)
    return Vocabulary(ids[code] for code in order), rows


def _encode(ids: NDArray[np.object_]) -> tuple[list[str], _Codes]:
    codes: dict[str, int] = {}
    found = np.fromiter((codes.setdefault(i, len(codes)) for i in ids), np.int32, len(ids))
    return list(codes), found
