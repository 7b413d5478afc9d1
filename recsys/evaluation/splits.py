"""Splits of one log into training and test."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.vocabulary import Vocabulary
from recsys.evaluation.held_out import TestSet
from recsys.training.event_log import EventLog
from recsys.training.interactions import InteractionMatrix


def temporal_split(log: EventLog, at_ms: int) -> tuple[EventLog, EventLog]:
    """Events before a time, the same for all users, and those from it on.

    A split at each user's own last events would let training see what others did later (Meng et
    al., "Exploring Data Splitting Strategies", 2020).

    Raises:
        ConfigurationError: when the log has no timestamps.
    """
    past = log.times_ms() < at_ms
    return log.only(past), log.only(~past)


def split_time_ms(log: EventLog, newest_share: float) -> int:
    """The time from which on this share of the events, or a little more, came.

    Raises:
        ConfigurationError: when the log has no timestamps.
    """
    return int(np.quantile(log.times_ms(), 1.0 - newest_share, method="lower"))


def leave_last_out(log: EventLog) -> tuple[EventLog, EventLog]:
    """Split off each user's last target event.

    The last one is the newest; of those of one moment it is the one that the log names last. What
    a user did after it is in neither part, so that nobody's own future is learnt from. A user who
    did nothing before is not tested, and stays in training with everything.

    Training sees what other users did after a user's test event, which a shop could not: see
    `temporal_split`. Published results on sequences are judged like this.

    Raises:
        ConfigurationError: when the log has no timestamps.
    """
    # Stable: events of one moment stay in the order of the log.
    order = np.lexsort((log.times_ms(), log.users))
    owners, starts, counts = np.unique(log.users[order], return_index=True, return_counts=True)
    places = np.arange(len(log)) - np.repeat(starts, counts)
    user = np.repeat(np.arange(len(owners)), counts)
    last = np.maximum.reduceat(np.where(_are_targets(log)[order], places, -1), starts)
    tested = last > 0
    before = np.where(tested, last, counts)[user]
    train, test = np.zeros((2, len(log)), np.bool_)
    train[order] = places < before
    test[order] = (places == before) & tested[user]
    return log.only(train), log.only(test)


def _are_targets(log: EventLog) -> NDArray[np.bool_]:
    """(e,) whether recommendations are judged by the event."""
    return np.array(log.target_types, np.bool_)[log.types] & (log.values > 0)


def held_out_targets(future: EventLog, users: Vocabulary, items: Vocabulary) -> TestSet:
    """Relevant items: pairs whose target events add up to more than zero.

    Args:
        future: events after those of training.
        users, items: the vocabularies of training.
    """
    goals = np.array(future.target_types, np.bool_)[future.types]
    stride = len(future.item_ids)
    keys = future.users[goals].astype(np.int64) * stride + future.items[goals]
    pairs, place = np.unique(keys, return_inverse=True)
    wanted = np.bincount(place, weights=future.values[goals], minlength=len(pairs)) > 0
    user_codes, item_codes = np.divmod(pairs[wanted], max(stride, 1))
    return TestSet.from_pairs(
        rows_of(users, future.user_ids)[user_codes],
        rows_of(items, future.item_ids)[item_codes],
        len(users),
        len(items),
    )


def rows_of(vocabulary: Vocabulary, ids: Iterable[str]) -> NDArray[np.int64]:
    """The row of each id; ids that are not in the vocabulary get the rows after its last one."""
    found = ((vocabulary.index_of(i), place) for place, i in enumerate(ids))
    return np.array(
        [len(vocabulary) + place if row is None else row for row, place in found], np.int64
    )


def random_holdout(
    pairs: InteractionMatrix, share: float, seed: int
) -> tuple[InteractionMatrix, TestSet]:
    """Hold out a share of each user's pairs, for data without time.

    Every user with two pairs or more loses at least one and keeps at least one; pairs without
    strength are never held out. Rows stay those of `pairs`.
    """
    users = np.repeat(np.arange(len(pairs.users)), np.diff(pairs.indptr))
    drawn = np.flatnonzero(pairs.strengths > 0)
    owners = users[drawn]
    counts = np.bincount(owners, minlength=len(pairs.users))
    # Each user's pairs in random order; the first ones go.
    order = np.lexsort((np.random.default_rng(seed).random(len(drawn)), owners))
    places = np.arange(len(drawn)) - np.repeat(np.cumsum(counts) - counts, counts)
    held = np.minimum(np.maximum(np.rint(share * counts), 1), counts - 1)
    chosen = drawn[order[places < held[owners]]]
    test = TestSet.from_pairs(users[chosen], pairs.item_indices[chosen], *pairs.shape)
    kept = np.ones(len(users), np.bool_)
    kept[chosen] = False
    return _only(pairs, kept, users), test


def newest_holdout(
    pairs: InteractionMatrix, max_users: int, seed: int
) -> tuple[InteractionMatrix, TestSet]:
    """Hold out the newest pair of some users, for data that only orders each user's behaviour.

    Of pairs of one moment a random one goes. Users with one pair keep it; rows stay those of
    `pairs`.
    """
    random = np.random.default_rng(seed)
    users = np.repeat(np.arange(len(pairs.users)), np.diff(pairs.indptr))
    counts = np.bincount(users[pairs.strengths > 0], minlength=len(pairs.users))
    able = np.flatnonzero(counts > 1)
    judged = np.zeros(len(pairs.users), np.bool_)
    judged[random.choice(able, min(max_users, len(able)), replace=False)] = True
    newest = np.flatnonzero((pairs.strengths > 0) & judged[users])
    newest = newest[np.lexsort((random.random(len(newest)), pairs.steps[newest], users[newest]))]
    chosen = newest[np.diff(users[newest], prepend=-1) != 0]
    test = TestSet.from_pairs(users[chosen], pairs.item_indices[chosen], *pairs.shape)
    kept = np.ones(len(users), np.bool_)
    kept[chosen] = False
    rest = _only(pairs, kept, users)
    return replace(rest, steps=_from_zero(rest)), test


def _from_zero(pairs: InteractionMatrix) -> NDArray[np.int32]:
    """Steps without the moments that were held out."""
    full = np.diff(pairs.indptr) > 0
    first = np.zeros(len(pairs.users), np.int32)
    first[full] = np.minimum.reduceat(pairs.steps, pairs.indptr[:-1][full])
    return pairs.steps - np.repeat(first, np.diff(pairs.indptr))


def _only(
    pairs: InteractionMatrix, kept: NDArray[np.bool_], users: NDArray[np.int64]
) -> InteractionMatrix:
    indptr = np.zeros(len(pairs.users) + 1, np.int64)
    np.cumsum(np.bincount(users[kept], minlength=len(pairs.users)), out=indptr[1:])
    return replace(
        pairs,
        indptr=indptr,
        item_indices=pairs.item_indices[kept],
        strengths=pairs.strengths[kept],
        recent_strengths=pairs.recent_strengths[kept],
        excluded=pairs.excluded[kept],
        steps=pairs.steps[kept],
    )
