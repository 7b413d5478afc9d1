"""What to train on and what to judge by, when only one body of data is given."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.vocabulary import Vocabulary
from recsys.evaluation.held_out import TestSet
from recsys.training.event_log import EventLog
from recsys.training.pairs import Pairs

_NEARLY_ALL = 0.95


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


def follows(train: EventLog, test: EventLog) -> bool:
    """Whether the test is the future of training: most of it came after nearly all of training.

    Where it is not, as with a random split or every user's last event, the age of an event and the
    trend of an item at the end of training say nothing about the time of the test. A test without
    timestamps is taken for the future, which is what a model is asked about in a shop.
    """
    if test.timestamps_ms is None or not len(test):
        return True
    nearly_all = np.quantile(train.times_ms(), _NEARLY_ALL)
    return bool(np.median(test.timestamps_ms) > nearly_all)


def held_out_goals(future: EventLog, users: Vocabulary, items: Vocabulary) -> TestSet:
    """What users turned to: pairs whose goal events add up to more than zero.

    Args:
        future: events after those of training.
        users, items: the vocabularies of training.
    """
    goals = np.array(future.goals, np.bool_)[future.types]
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


def random_holdout(pairs: Pairs, share: float, seed: int) -> tuple[Pairs, TestSet]:
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


def _only(pairs: Pairs, kept: NDArray[np.bool_], users: NDArray[np.int64]) -> Pairs:
    indptr = np.zeros(len(pairs.users) + 1, np.int64)
    np.cumsum(np.bincount(users[kept], minlength=len(pairs.users)), out=indptr[1:])
    return replace(
        pairs,
        indptr=indptr,
        item_indices=pairs.item_indices[kept],
        strengths=pairs.strengths[kept],
        recent_strengths=pairs.recent_strengths[kept],
        excluded=pairs.excluded[kept],
    )
