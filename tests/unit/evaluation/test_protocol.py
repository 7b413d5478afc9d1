from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError, NoData
from recsys.evaluation import Relation, Split, SplitMethod, evaluation_data, split_log
from recsys.training.event_log import EventLog, pairs_of
from tests.builders import an_event_log

Entry = tuple[str, str, int]


def a_log(*events: Entry, types: list[str] | None = None) -> EventLog:
    pairs = [(user, item) for user, item, _ in events]
    return an_event_log(pairs, types=types, times=[time for *_, time in events])


def entries(log: EventLog) -> list[Entry]:
    codes = zip(log.users.tolist(), log.items.tolist(), log.times_ms().tolist(), strict=True)
    return [(log.user_ids[user], log.item_ids[item], time) for user, item, time in codes]


def leave_last_out(log: EventLog) -> Split:
    return split_log(log, SplitMethod.LEAVE_LAST_OUT)


def test_each_users_last_event_is_the_test() -> None:
    split = leave_last_out(a_log(("a", "x", 5), ("b", "x", 9), ("a", "y", 3), ("b", "z", 10)))
    assert entries(split.test) == [("a", "x", 5), ("b", "z", 10)]
    assert entries(split.train) == [("b", "x", 9), ("a", "y", 3)]


def test_a_method_is_known_by_its_name_and_no_other_stands_in_for_it() -> None:
    log = a_log(("a", "x", 5), ("b", "x", 9), ("a", "y", 3), ("b", "z", 10))
    for method in SplitMethod:
        by_name = split_log(log, method.value)  # type: ignore[arg-type]
        assert entries(by_name.test) == entries(split_log(log, method).test)
    with pytest.raises(ValueError, match="'random' is not a valid SplitMethod"):
        split_log(log, "random")  # type: ignore[arg-type]


def test_of_one_moment_the_one_that_the_file_names_last_is_last() -> None:
    split = leave_last_out(a_log(("a", "z", 7), ("a", "y", 7), ("a", "x", 7), ("a", "w", 6)))
    assert entries(split.test) == [("a", "x", 7)]
    assert entries(split.train) == [("a", "z", 7), ("a", "y", 7), ("a", "w", 6)]


def test_who_has_a_single_event_is_trained_on_and_not_tested() -> None:
    split = leave_last_out(a_log(("a", "x", 5), ("b", "x", 1), ("b", "y", 2)))
    assert entries(split.test) == [("b", "y", 2)]
    assert ("a", "x", 5) in entries(split.train)


def test_the_last_goal_is_the_test_and_what_came_after_it_is_in_neither_part() -> None:
    log = a_log(
        *(("a", item, time) for time, item in enumerate("wxyz")),
        types=["purchase", "view", "purchase", "view"],
    )
    split = leave_last_out(log)
    assert entries(split.test) == [("a", "y", 2)]
    assert entries(split.train) == [("a", "w", 0), ("a", "x", 1)]


_EVENTS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz"), st.integers(0, 9)),
    min_size=1,
    max_size=25,
)


@given(_EVENTS)
def test_nobodys_training_holds_the_test_event_or_what_came_after_it(events: list[Entry]) -> None:
    """No leak, and as every event here is a goal nothing is lost either."""
    log = a_log(*events)
    counts = Counter(user for user, *_ in events)
    if max(counts.values()) < 2:
        with pytest.raises(NoData, match="nothing to hold out"):
            leave_last_out(log)
        return
    split = leave_last_out(log)
    train, test = entries(split.train), entries(split.test)
    assert Counter(train + test) == Counter(events)
    assert Counter(user for user, *_ in test) == Counter(u for u, n in counts.items() if n > 1)
    for user, item, time in test:
        # Of equal times the last one in the file.
        assert max(t for u, _, t in events if u == user) == time
        assert [i for u, i, t in events if (u, t) == (user, time)][-1] == item


@given(_EVENTS)
def test_training_is_that_of_a_log_that_never_had_the_test(events: list[Entry]) -> None:
    """Not an id, not a strength of the held-out events shows in what is learnt from."""
    log = a_log(*events)
    try:
        split = leave_last_out(log)
    except NoData:
        return
    if not len(split.train):
        return
    ours, alone = (pairs_of(a, 10.0, 1.0) for a in (split.train, a_log(*entries(split.train))))
    assert list(ours.items) == list(alone.items)
    assert np.array_equal(ours.indptr, alone.indptr)
    assert np.array_equal(ours.strengths, alone.strengths)


@given(_EVENTS)
def test_a_split_is_the_same_every_time(events: list[Entry]) -> None:
    for method in SplitMethod:
        try:
            one, other = (split_log(a_log(*events), method) for _ in range(2))
        except NoData:
            continue
        assert entries(one.train) == entries(other.train)
        assert entries(one.test) == entries(other.test)


def test_a_split_at_one_time_tests_by_the_newest_share() -> None:
    log = a_log(*(("ab"[time % 2], "x", time) for time in range(20)))
    split = split_log(log, SplitMethod.GLOBAL_TIME, 0.25)
    assert [time for *_, time in entries(split.test)] == [14, 15, 16, 17, 18, 19]
    assert max(time for *_, time in entries(split.train)) == 13


@pytest.mark.parametrize("share", [20, 1, 0, -0.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    log = a_log(*(("ab"[time % 2], "x", time) for time in range(20)))
    with pytest.raises(ConfigurationError, match="must be between 0 and 1"):
        split_log(log, SplitMethod.GLOBAL_TIME, share)


def test_what_times_mean_goes_with_the_split() -> None:
    log = a_log(*(("ab"[time % 2], "x", time) for time in range(20)))
    by_user, by_time = (split_log(log, method) for method in SplitMethod)
    assert (by_user.relation, by_time.relation) == (
        Relation.USER_FUTURE,
        Relation.GLOBAL_FUTURE,
    )
    assert by_user.train.timestamps_ms is not None
    assert by_user.timed_train().timestamps_ms is not None
    assert not by_user.timed_train().has_ages
    assert by_time.timed_train().has_ages


@pytest.mark.parametrize("method", SplitMethod)
def test_a_log_without_times_cannot_be_split(method: SplitMethod) -> None:
    with pytest.raises(ConfigurationError, match="timestamps"):
        split_log(an_event_log([("a", "x"), ("a", "y")]), method)


def test_events_of_one_moment_leave_nothing_to_train_on() -> None:
    with pytest.raises(NoData, match="nothing to train on"):
        split_log(a_log(("a", "x", 5), ("b", "y", 5)), SplitMethod.GLOBAL_TIME)


def test_a_split_log_is_ready_to_be_evaluated() -> None:
    log = a_log(("a", "x", 1), ("a", "y", 2), ("b", "y", 1), ("b", "x", 5))
    data = evaluation_data(leave_last_out(log), load_shop(), with_sequences=True)
    assert data.known.relevant.tolist() == [1, 1]
    assert data.sequences is not None
    assert [data.pairs.items.id_of(row) for row in data.sequences.items] == ["x", "y"]


def test_a_log_whose_types_are_no_goals_is_refused_for_that() -> None:
    log = a_log(("a", "x", 1), ("a", "y", 2), types=["view", "view"])
    with pytest.raises(NoData, match=r"none of the event types \(view\) is a goal"):
        leave_last_out(log)
