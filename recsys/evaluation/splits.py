"""Splits of one log into training and test."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import ConfigurationError
from recsys.core.vocabulary import Vocabulary
from recsys.evaluation.held_out import TestSet
from recsys.training.event_log import EventLog


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
        ConfigurationError: when the log has no timestamps, or this is no share.
    """
    if not 0 < newest_share < 1:
        raise ConfigurationError(
            f"the share of the newest events must be between 0 and 1, and is {newest_share:g}"
        )
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
    return _last_out(log, np.arange(len(log)), lambda able: able)


def newest_holdout(log: EventLog, max_users: int, seed: int) -> tuple[EventLog, EventLog]:
    """`leave_last_out` of some users; of events of one moment a random one is the last.

    A log may name these in an order that has nothing to do with time.
    """
    random = np.random.default_rng(seed)

    def chosen(able: NDArray[np.bool_]) -> NDArray[np.bool_]:
        users = np.flatnonzero(able)
        some = np.zeros(len(able), np.bool_)
        some[random.choice(users, min(max_users, len(users)), replace=False)] = True
        return some

    return _last_out(log, random.random(len(log)), chosen)


def _last_out(
    log: EventLog,
    ties: NDArray[np.number],
    chosen: Callable[[NDArray[np.bool_]], NDArray[np.bool_]],
) -> tuple[EventLog, EventLog]:
    """Split off the last target event of some users.

    Args:
        ties: (e,) orders the events of one moment.
        chosen: tells of the mask of users who can be tested which of them are.
    """
    order = np.lexsort((ties, log.times_ms(), log.users))
    owners, starts, counts = np.unique(log.users[order], return_index=True, return_counts=True)
    if not len(owners):
        return log, log
    places = np.arange(len(log)) - np.repeat(starts, counts)
    user = np.repeat(np.arange(len(owners)), counts)
    last = np.maximum.reduceat(np.where(_are_targets(log)[order], places, -1), starts)
    tested = chosen(last > 0)
    before = np.where(tested, last, counts)[user]
    train, test = np.zeros((2, len(log)), np.bool_)
    train[order] = places < before
    test[order] = (places == before) & tested[user]
    return log.only(train), log.only(test)


def _are_targets(log: EventLog) -> NDArray[np.bool_]:
    """(e,) whether recommendations are judged by the event."""
    return log.targets() & (log.values > 0)


def held_out_targets(future: EventLog, users: Vocabulary, items: Vocabulary) -> TestSet:
    """Relevant items: pairs whose target events add up to more than zero.

    Args:
        future: events after those of training.
        users, items: the vocabularies of training.
    """
    goals = future.targets()
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


def random_holdout(log: EventLog, share: float, seed: int) -> tuple[EventLog, EventLog]:
    """Split off a share of each user's pairs, of whatever type, for data without time.

    Every user with two pairs or more loses at least one and keeps at least one; pairs without
    strength are never held out. All types of the second part are targets.
    """
    stride = max(len(log.item_ids), 1)
    codes = log.users.astype(np.int64) * stride + log.items
    keys, pairs = np.unique(codes, return_inverse=True)
    drawn = np.flatnonzero(np.bincount(pairs, log.weights(), len(keys)) > 0)
    owners = keys[drawn] // stride
    counts = np.bincount(owners, minlength=len(log.user_ids))
    # Each user's pairs in random order; the first ones go.
    order = np.lexsort((np.random.default_rng(seed).random(len(drawn)), owners))
    places = np.arange(len(drawn)) - np.repeat(np.cumsum(counts) - counts, counts)
    held = np.minimum(np.maximum(np.rint(share * counts), 1), counts - 1)
    is_held = np.zeros(len(keys), np.bool_)
    is_held[drawn[order[places < held[owners]]]] = True
    test = log.only(is_held[pairs])
    return log.only(~is_held[pairs]), replace(test, target_types=(True,) * len(test.target_types))
