import numpy as np
import pytest

from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError
from recsys.evaluation import EvaluationData, evaluation_data, given_split
from recsys.evaluation.baselines.markov import MARKOV, markov, transitions
from recsys.evaluation.sequences import sequences_of
from recsys.training.event_log import EventLog, pairs_of
from tests.builders import an_event_log


def sequences(*items_of_users: str) -> EventLog:
    """User a had the items of the first text in this order, user b those of the second ..."""
    events = [
        (user, item, time)
        for user, items in zip("abcdefgh", items_of_users, strict=False)
        for time, item in enumerate(items)
    ]
    pairs = [(user, item) for user, item, _ in events]
    return an_event_log(pairs, times=[time for *_, time in events])


def ranked(log: EventLog, users: list[int]) -> list[str]:
    """The items of each user, best first."""
    pairs = pairs_of(log, 1e9, 1e9)
    scores = markov(pairs, sequences_of(log, pairs.users, pairs.items))(np.array(users))
    order = np.argsort(-scores, axis=1, kind="stable")
    return ["".join(pairs.items.id_of(row) for row in rows) for rows in order.tolist()]


def test_transitions_are_counts_over_what_followed_the_item() -> None:
    log = sequences("xyxz", "xy", "z")
    pairs = pairs_of(log, 1e9, 1e9)
    found = transitions(sequences_of(log, pairs.users, pairs.items), 3).toarray()
    assert found == pytest.approx(np.array([[0, 2 / 3, 1 / 3], [1, 0, 0], [0, 0, 0]]))


def test_what_followed_the_last_item_most_often_comes_first() -> None:
    # After x: y twice, z once; w is most popular and never follows x.
    log = sequences("wxy", "wxy", "wxz", "w", "wx")
    assert ranked(log, [4]) == ["yzwx"]


def test_equal_counts_are_ordered_by_popularity() -> None:
    log = sequences("xa", "xb", "b", "x")
    assert ranked(log, [3])[0].startswith("ba")


def test_without_a_transition_or_a_user_it_is_popularity() -> None:
    log = sequences("xy", "zy", "zy")
    assert ranked(log, [0, 99]) == ["yzx", "yzx"]


def data_of(train: EventLog, test: EventLog) -> EvaluationData:
    return evaluation_data(given_split(train, test), load_shop(), with_sequences=True)


def test_data_without_order_is_refused_before_any_training() -> None:
    untimed = data_of(an_event_log([("a", "x")]), an_event_log([("a", "y")]))
    earlier = data_of(sequences("xy", "yx"), an_event_log([("a", "z")], times=[-1]))
    for data in (untimed, earlier):
        for step in (MARKOV.check, MARKOV.fit):
            with pytest.raises(ConfigurationError, match="timestamps"):
                step(data)


def test_the_baseline_learns_from_the_order_of_training() -> None:
    data = data_of(sequences("xyz", "xy", "yx"), an_event_log([("c", "z")], times=[9]))
    MARKOV.check(data)
    scores = MARKOV.fit(data)(data.known.users)
    assert data.pairs.items.id_of(int(scores[0].argmax())) == "y"
