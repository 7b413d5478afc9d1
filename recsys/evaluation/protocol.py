"""Protocol: which events are trained on and which tested on, and what their times mean."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from recsys.core.errors import NoData
from recsys.evaluation.relation import Relation, relation
from recsys.evaluation.splits import leave_last_out, split_time_ms, temporal_split
from recsys.training.event_log import EventLog

DEFAULT_TEST_SHARE = 0.1


class SplitMethod(StrEnum):
    """Method of splitting one log.

    LEAVE_LAST_OUT: each user's last target event is the test; published results on sequences.
    GLOBAL_TIME: everybody's newest events are the test; what a shop would have seen.
    """

    LEAVE_LAST_OUT = "leave-last-out"
    GLOBAL_TIME = "global-time"


@dataclass(frozen=True)
class Split:
    """Training and test.

    Attributes:
        train: with the times it came with, whatever these mean: see `timed_train`.
    """

    train: EventLog
    test: EventLog
    relation: Relation

    def timed_train(self) -> EventLog:
        """Training with those of its times that mean something: all, an order, or none."""
        match self.relation:
            case Relation.GLOBAL_FUTURE:
                return self.train
            case Relation.USER_FUTURE:
                return replace(self.train, has_ages=False)
            case Relation.UNRELATED:
                return replace(self.train, timestamps_ms=None)


def given_split(train: EventLog, test: EventLog) -> Split:
    """A split that somebody else has made."""
    return Split(train, test, relation(train, test))


def split_log(log: EventLog, method: SplitMethod, test_share: float = DEFAULT_TEST_SHARE) -> Split:
    """Split one log; the same log is always split alike.

    Args:
        test_share: of the events, for a split at one time: 0.1 for a tenth.

    Raises:
        ConfigurationError: when the log has no timestamps, or `test_share` is no share.
        NoData: when one part would be empty.
        ValueError: for a method that there is not.
    """
    # A notebook may name it, and must not get the other one.
    if SplitMethod(method) is SplitMethod.LEAVE_LAST_OUT:
        train, test = leave_last_out(log)
        if not len(test):
            raise NoData(f"{_why_nothing_is_last(log)}: nothing to hold out")
        return Split(train, test, Relation.USER_FUTURE)
    train, test = temporal_split(log, split_time_ms(log, test_share))
    if not len(train):
        raise NoData("nothing came before the newest events: there is nothing to train on")
    return Split(train, test, Relation.GLOBAL_FUTURE)


def _why_nothing_is_last(log: EventLog) -> str:
    if not log.targets().any():
        names = list(log.event_types)
        types = ", ".join(names[code] for code in np.unique(log.types).tolist())
        return f"none of the event types ({types}) is a goal of the shop"
    return "no user did anything before a target event"
