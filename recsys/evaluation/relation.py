"""Relation of the times of training to those of the test."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recsys.training.event_log import EventLog

_NEARLY_ALL = 0.95
# So many users tell a split by time from a random one, and keep the comparison quick.
MAX_COMPARED_USERS = 20_000


class Relation(StrEnum):
    """Place of the test in time.

    GLOBAL_FUTURE: most of the test came after nearly all of training. The age of an event, the
        trend of an item and the order of events mean for the test what they mean in a shop.
    USER_FUTURE: each user's test events came after nearly all of the user's own training events,
        as with every user's last event held out, but others' training goes on meanwhile. Only the
        order of a user's own behaviour means something: ages and trends are left out.
    UNRELATED: neither, as with a random split, or training has no times. They are dropped.
    """

    GLOBAL_FUTURE = "global-future"
    USER_FUTURE = "user-future"
    UNRELATED = "unrelated"


def relation(train: EventLog, test: EventLog) -> Relation:
    """Find the place of the test relative to training.

    A test without timestamps is taken for the future of all, which is what a model is asked about
    in a shop.
    """
    if train.timestamps_ms is None:
        return Relation.UNRELATED
    if test.timestamps_ms is None or not len(test):
        return Relation.GLOBAL_FUTURE
    nearly_all = np.quantile(train.timestamps_ms, _NEARLY_ALL)
    if np.median(test.timestamps_ms) > nearly_all:
        return Relation.GLOBAL_FUTURE
    if _share_in_order(train, test) >= _NEARLY_ALL:
        return Relation.USER_FUTURE
    return Relation.UNRELATED


def _share_in_order(train: EventLog, test: EventLog) -> float:
    """Share of the user's own training events that came before a test event, mean over these.

    Events of one moment say nothing and are left out: data whose times are days is full of them.
    Zero where nothing is left to compare.
    """
    of_train, of_test = _common_users(train, test)
    ours, theirs = of_train[train.users], of_test[test.users]
    own, asked = ours >= 0, theirs >= 0
    moments, stride = _ranks(train.times_ms()[own], test.times_ms()[asked])
    count, users = int(own.sum()), theirs[asked]
    keys = np.sort(ours[own] * stride + moments[:count])
    wanted = users * stride + moments[count:]
    earlier = np.searchsorted(keys, wanted) - np.searchsorted(keys, users * stride)
    later = np.searchsorted(keys, (users + 1) * stride) - np.searchsorted(keys, wanted, "right")
    compared = earlier + later > 0
    if not compared.any():
        return 0.0
    return float((earlier[compared] / (earlier + later)[compared]).mean())


def _common_users(train: EventLog, test: EventLog) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each user code of both logs; -1 for users who are not compared."""
    codes = np.unique(test.users)
    spread = np.linspace(0, len(codes) - 1, min(len(codes), MAX_COMPARED_USERS)).astype(np.int64)
    chosen = codes[spread]
    numbers = {test.user_ids[code]: number for number, code in enumerate(chosen.tolist())}
    of_test = np.full(len(test.user_ids), -1, np.int64)
    of_test[chosen] = np.arange(len(chosen))
    of_train = np.array([numbers.get(user_id, -1) for user_id in train.user_ids], np.int64)
    return of_train, of_test


def _ranks(*times: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Ranks of the moments, one array after the other, equal ones alike; and how many there are."""
    distinct, ranks = np.unique(np.concatenate(times), return_inverse=True)
    return ranks, len(distinct)
