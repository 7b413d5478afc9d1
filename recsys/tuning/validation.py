"""What settings are compared on: a part of training that is held out, never the test."""

from dataclasses import dataclass

import numpy as np

from recsys.core.errors import NoData
from recsys.evaluation import TestSet
from recsys.evaluation.score_functions import has_behaviour, is_known
from recsys.evaluation.splits import (
    held_out_goals,
    random_holdout,
    split_time_ms,
    temporal_split,
)
from recsys.training.event_log import EventLog, pairs_of
from recsys.training.pairs import Pairs

# The newest tenth of events, or a fifth of every user's pairs where there is no time.
NEWEST_SHARE = 0.1
RANDOM_SHARE = 0.2
# More users make a trial slower and its result hardly surer.
MOST_JUDGED_USERS = 5000
# Trials on more pairs than this use some of the users, so that many trials fit into a budget.
MOST_PAIRS = 2_000_000
# Hundreds of trials on one random part find what suits its accidents. Where trials are quick, more
# parts are drawn; with time there is but one newest part.
MOST_FOLDS = 3


@dataclass(frozen=True)
class Fold:
    """Pairs to train on and a test set made of the rest."""

    pairs: Pairs
    test: TestSet


@dataclass(frozen=True)
class Validation:
    """What a trial trains on and is judged by, the mean over the folds.

    Attributes:
        folds: one or more splits of the same log.
        timed: whether the split is by time, so that trends can be judged.
    """

    folds: tuple[Fold, ...]
    timed: bool

    @property
    def judged_users(self) -> int:
        """Users whose lists are judged, of one fold."""
        return len(self.folds[0].test)


def hold_out(
    log: EventLog, half_life_days: float, popularity_half_life_days: float, seed: int
) -> Validation:
    """Split a log by time, or at random, and several times, where it has none.

    Raises:
        NoData: when nobody has behaviour on both sides.
    """
    log = _some_users(log, seed)
    half_lives = (half_life_days, popularity_half_life_days)
    if log.timestamps_ms is None:
        pairs = pairs_of(log, *half_lives)
        count = min(max(MOST_PAIRS // max(len(pairs.strengths), 1), 1), MOST_FOLDS)
        splits = [random_holdout(pairs, RANDOM_SHARE, seed + fold) for fold in range(count)]
        return Validation(tuple(_fold(*split, seed) for split in splits), timed=False)
    past, future = temporal_split(log, split_time_ms(log, NEWEST_SHARE))
    pairs = pairs_of(past, *half_lives)
    test = _first_times(held_out_goals(future, pairs.users, pairs.items), pairs)
    return Validation((_fold(pairs, test, seed),), timed=True)


def _fold(pairs: Pairs, test: TestSet, seed: int) -> Fold:
    test = test.only(is_known(test.users, has_behaviour(pairs)))
    if not len(test):
        raise NoData("no user has enough behaviour to hold some of it out: nothing to tune on")
    return Fold(pairs, _some_judged(test, seed))


def _some_users(log: EventLog, seed: int) -> EventLog:
    """All events of as many users as keep trials quick."""
    share = MOST_PAIRS / max(len(log), 1)
    if share >= 1:
        return log
    chosen = np.random.default_rng(seed).random(len(log.user_ids)) < share
    return log.only(chosen[log.users])


def _some_judged(test: TestSet, seed: int) -> TestSet:
    if len(test) <= MOST_JUDGED_USERS:
        return test
    chosen = np.zeros(len(test), np.bool_)
    chosen[np.random.default_rng(seed).choice(len(test), MOST_JUDGED_USERS, replace=False)] = True
    return test.only(chosen)


def _first_times(test: TestSet, pairs: Pairs) -> TestSet:
    """Without what a user had before: a list cannot hold it."""
    stride = max(test.known_items, int(test.items.max(initial=0)) + 1)
    owners = np.repeat(np.arange(len(pairs.users), dtype=np.int64), np.diff(pairs.indptr))
    had = owners * stride + pairs.item_indices
    users = test.pair_users
    new = ~np.isin(users * stride + test.items, had)
    return TestSet.from_pairs(users[new], test.items[new], test.known_users, test.known_items)
