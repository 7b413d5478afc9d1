import numpy as np
import pytest

from recsys.core.errors import ConfigurationError
from recsys.core.vocabulary import Vocabulary
from recsys.evaluation.sequences import Sequences, sequences_of
from tests.builders import an_event_log

USERS, ITEMS = Vocabulary(["a", "b", "c"]), Vocabulary(["x", "y", "z"])


def rows(found: Sequences) -> list[list[int]]:
    return [found.items[slice(*found.indptr[r : r + 2])].tolist() for r in range(len(USERS))]


def test_items_are_in_order_of_time_and_of_one_moment_in_that_of_the_file() -> None:
    log = an_event_log(
        [("a", "z"), ("c", "x"), ("a", "x"), ("a", "y"), ("c", "y")], times=[9, 4, 2, 2, 3]
    )
    assert rows(sequences_of(log, USERS, ITEMS)) == [[0, 1, 2], [], [1, 0]]


def test_an_item_that_follows_itself_is_one_step() -> None:
    log = an_event_log(
        [("a", item) for item in "xxyxx"] + [("b", "x")],
        types=["view", "purchase", "view", "view", "purchase", "view"],
        times=[1, 2, 3, 4, 5, 1],
    )
    assert rows(sequences_of(log, USERS, ITEMS)) == [[0, 1, 0], [0], []]


def test_what_takes_away_or_counts_nothing_is_no_step() -> None:
    log = an_event_log(
        [("a", item) for item in "xyz"],
        types=["purchase", "impression", "dislike"],
        times=[1, 2, 3],
    )
    assert rows(sequences_of(log, USERS, ITEMS)) == [[0], [], []]


def test_who_and_what_has_no_row_is_left_out() -> None:
    log = an_event_log([("a", "x"), ("a", "new"), ("a", "z"), ("d", "x")], times=[1, 2, 3, 4])
    assert rows(sequences_of(log, USERS, ITEMS)) == [[0, 2], [], []]


def test_the_last_item_is_that_of_known_users_with_any() -> None:
    log = an_event_log([("a", "x"), ("a", "y"), ("c", "z")], times=[1, 2, 3])
    last = sequences_of(log, USERS, ITEMS).last_items(np.array([2, 1, 0, 7]))
    assert last.tolist() == [2, -1, 1, -1]


def test_order_needs_time() -> None:
    with pytest.raises(ConfigurationError, match="timestamps"):
        sequences_of(an_event_log([("a", "x")]), USERS, ITEMS)
