from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import ConfigurationError
from recsys.core.vocabulary import Vocabulary
from recsys.evaluation.splits import (
    held_out_targets,
    newest_holdout,
    random_holdout,
    rows_of,
    split_time_ms,
    temporal_split,
)
from recsys.training.event_log import EventLog, pairs_of
from tests.builders import an_event_log

_EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 50)), min_size=1, max_size=30
)


def a_log(events: list[tuple[int, int, int]]) -> EventLog:
    return an_event_log([(f"u{user}", f"i{item}") for user, item, _ in events], times=[
        time for _, _, time in events
    ])  # fmt: skip


@given(_EVENTS, st.integers(0, 50))
def test_training_sees_nothing_from_the_split_on_and_nothing_is_lost(
    events: list[tuple[int, int, int]], at_ms: int
) -> None:
    past, future = temporal_split(a_log(events), at_ms)
    assert past.timestamps_ms is not None
    assert future.timestamps_ms is not None
    assert past.timestamps_ms.max(initial=-1) < at_ms <= future.timestamps_ms.min(initial=51)
    assert sorted(_triples(past) + _triples(future)) == sorted(events)


@given(_EVENTS, st.integers(0, 50))
def test_pairs_of_the_past_are_those_of_a_log_that_never_had_a_future(
    events: list[tuple[int, int, int]], at_ms: int
) -> None:
    """No leak: not an id, not a strength and not the time that ages are measured from."""
    past, _ = temporal_split(a_log(events), at_ms)
    split = pairs_of(past, 10.0, 1.0)
    alone = pairs_of(a_log([event for event in events if event[2] < at_ms]), 10.0, 1.0)
    assert list(split.users) == list(alone.users)
    assert list(split.items) == list(alone.items)
    for name in ("indptr", "item_indices", "strengths", "recent_strengths"):
        assert np.array_equal(getattr(split, name), getattr(alone, name))


def _triples(log: EventLog) -> list[tuple[int, int, int]]:
    times: Any = log.timestamps_ms
    return [
        (int(log.user_ids[user][1:]), int(log.item_ids[item][1:]), time)
        for user, item, time in zip(log.users, log.items, times.tolist(), strict=True)
    ]


def test_the_newest_tenth_begins_at_its_first_event() -> None:
    log = a_log([(0, 0, time) for time in range(40)])
    at_ms = split_time_ms(log, 0.1)
    assert len(temporal_split(log, at_ms)[1]) in (4, 5)


def test_a_temporal_split_needs_time() -> None:
    with pytest.raises(ConfigurationError, match="timestamps"):
        temporal_split(an_event_log([("u", "i")]), 5)


def test_the_test_set_holds_goals_that_add_up_to_more_than_nothing() -> None:
    future = an_event_log(
        [("a", "x"), ("a", "y"), ("b", "x"), ("b", "x"), ("stranger", "new")],
        types=["purchase", "view", "purchase", "purchase", "purchase"],
        values=[1, 1, 2, -2, 1],
    )
    test = held_out_targets(future, Vocabulary(["a", "b"]), Vocabulary(["x", "y"]))
    assert (test.users[0], test.items[0]) == (0, 0)
    assert len(test) == 2
    assert test.users[1] >= test.known_users
    assert test.unknown_pairs == 1


def test_ids_that_training_does_not_know_get_rows_of_their_own_past_the_last() -> None:
    assert rows_of(Vocabulary(["a", "b"]), ["b", "z", "a", "y"]).tolist() == [1, 3, 0, 5]


_TYPED = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from(["view", "purchase"])),
    min_size=1,
    max_size=30,
)


def a_typed_log(events: list[tuple[int, int, str]], times: list[int] | None = None) -> EventLog:
    pairs = [(f"u{user}", f"i{item}") for user, item, _ in events]
    return an_event_log(pairs, types=[kind for _, _, kind in events], times=times)


def _typed(log: EventLog) -> list[tuple[int, int, str]]:
    names = list(log.event_types)
    return [
        (int(log.user_ids[user][1:]), int(log.item_ids[item][1:]), names[kind])
        for user, item, kind in zip(log.users, log.items, log.types, strict=True)
    ]


@given(_TYPED, st.floats(0.05, 0.9), st.integers(0, 3))
def test_a_random_holdout_takes_some_pairs_of_every_user_who_has_two(
    events: list[tuple[int, int, str]], share: float, seed: int
) -> None:
    train, test = random_holdout(a_typed_log(events), share, seed)
    held = {(user, item) for user, item, _ in _typed(test)}
    assert sorted(_typed(test)) == sorted(each for each in events if each[:2] in held)
    assert sorted(_typed(train)) == sorted(each for each in events if each[:2] not in held)
    assert test.targets().all()
    for user in {user for user, _, _ in events}:
        had = len({item for owner, item, _ in events if owner == user})
        lost = sum(owner == user for owner, _ in held)
        assert lost == (0 if had < 2 else min(max(round(share * had), 1), had - 1))


def test_a_random_holdout_is_that_of_its_seed() -> None:
    log = an_event_log([("u", f"i{n}") for n in range(40)])
    one, same, other = (random_holdout(log, 0.3, seed)[1].items for seed in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()


def test_what_was_taken_back_is_never_held_out() -> None:
    log = an_event_log([("u", "a"), ("u", "b"), ("u", "c")], values=[1, 1, -1])
    train, test = random_holdout(log, 0.5, 0)
    assert len(test) == 1
    assert len(train) == 2
    assert train.item_ids.index("c") in train.items


@given(_TYPED, st.integers(0, 3), st.integers(0, 3))
def test_the_newest_target_of_some_users_is_held_out_and_what_came_later_is_nowhere(
    events: list[tuple[int, int, str]], most: int, seed: int
) -> None:
    """Each event at a time of its own, in the order of the list."""
    train, test = newest_holdout(a_typed_log(events, list(range(len(events)))), most, seed)
    able = {}
    for user in {user for user, _, _ in events}:
        own = [each for each in events if each[0] == user]
        last = max((n for n, each in enumerate(own) if each[2] == "purchase"), default=0)
        if last > 0:
            able[user] = own[last], own[:last]
    tested = {user for user, _, _ in _typed(test)}
    assert len(tested) == len(test) == min(most, len(able))
    for user in {user for user, _, _ in events}:
        own = [each for each in events if each[0] == user]
        kept = [each for each in _typed(train) if each[0] == user]
        if user not in tested:
            assert kept == own
            continue
        assert [each for each in _typed(test) if each[0] == user] == [able[user][0]]
        assert kept == able[user][1]


def test_of_targets_of_one_moment_any_may_be_the_newest() -> None:
    """A log may name them by their ids, and popular items often have the lowest."""
    pairs = [(f"u{user:03}", f"i{item}") for user in range(60) for item in range(4)]
    log = an_event_log(pairs, times=[5] * len(pairs))
    _, test = newest_holdout(log, 60, 0)
    assert set(test.items.tolist()) == {0, 1, 2, 3}
