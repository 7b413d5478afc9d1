import numpy as np
import pytest

from recsys.evaluation.relation import Relation, relation
from recsys.training.event_log import EventLog
from tests.builders import an_event_log


def a_log(*events: tuple[str, int]) -> EventLog:
    """Events of users at times; which items does not matter."""
    return an_event_log([(user, "i") for user, _ in events], times=[time for _, time in events])


TRAIN = a_log(*((f"u{user}", 100 * user + step) for user in range(10) for step in range(10)))


def test_what_came_after_nearly_all_of_training_is_the_future_of_all() -> None:
    assert relation(TRAIN, a_log(("u0", 990), ("new", 2000))) is Relation.GLOBAL_FUTURE


def test_a_test_without_times_is_taken_for_the_future() -> None:
    assert relation(TRAIN, an_event_log([("u0", "i")])) is Relation.GLOBAL_FUTURE


def test_training_without_times_is_related_to_nothing() -> None:
    assert relation(an_event_log([("u0", "i")]), TRAIN) is Relation.UNRELATED


def test_every_users_last_event_is_the_future_of_the_user() -> None:
    last = a_log(*((f"u{user}", 100 * user + 10) for user in range(10)))
    assert relation(TRAIN, last) is Relation.USER_FUTURE


def test_events_from_the_middle_of_everybodys_time_are_unrelated() -> None:
    between = a_log(*((f"u{user}", 100 * user + 5) for user in range(10)))
    assert relation(TRAIN, between) is Relation.UNRELATED


def test_events_of_one_day_say_nothing_about_order() -> None:
    """Times may be days: a user's last event often shares its day with those before."""
    train = a_log(("a", 1), ("a", 2), ("b", 7), ("c", 7), ("d", 99), ("d", 99))
    assert relation(train, a_log(("a", 2), ("b", 7), ("c", 7))) is Relation.USER_FUTURE
    assert relation(train, a_log(("b", 7), ("c", 7))) is Relation.UNRELATED


def test_users_whom_training_does_not_know_say_nothing() -> None:
    assert relation(TRAIN, a_log(("u3", 310), ("new", 0))) is Relation.USER_FUTURE
    assert relation(TRAIN, a_log(("new", 0))) is Relation.UNRELATED


def test_of_many_users_some_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.evaluation.relation.MAX_COMPARED_USERS", 3)
    last = a_log(*((f"u{user}", 100 * user + 10) for user in range(10)))
    assert relation(TRAIN, last) is Relation.USER_FUTURE


@pytest.mark.parametrize("seed", range(3))
def test_a_random_split_is_unrelated(seed: int) -> None:
    random = np.random.default_rng(seed)
    events = [
        (f"u{user}", int(time)) for user in range(40) for time in random.integers(1000, size=9)
    ]
    held = random.random(len(events)) < 0.2
    train = a_log(*(event for event, out in zip(events, held, strict=True) if not out))
    test = a_log(*(event for event, out in zip(events, held, strict=True) if out))
    assert relation(train, test) is Relation.UNRELATED
