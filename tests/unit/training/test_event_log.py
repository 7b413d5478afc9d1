import numpy as np
import pytest

from recsys.training.event_log import pairs_of
from tests.builders import an_event_log

DAY_MS = 86_400_000


def test_duplicates_add_up() -> None:
    pairs = pairs_of(an_event_log([("u", "x"), ("u", "y"), ("u", "x")]), 10.0, 1.0)
    assert pairs.item_indices.tolist() == [0, 1]
    assert pairs.strengths.tolist() == [2, 1]


def test_a_value_multiplies_the_weight_of_the_type() -> None:
    log = an_event_log([("u", "x"), ("u", "y")], types=["view", "purchase"], values=[3, 2])
    assert pairs_of(log, 10.0, 1.0).strengths == pytest.approx([0.2 * 3, 2])


def test_what_takes_away_more_than_there_is_leaves_a_negative_strength() -> None:
    pairs = pairs_of(an_event_log([("u", "x"), ("u", "x")], values=[1, -3]), 10.0, 1.0)
    assert pairs.strengths.tolist() == [-2]
    assert pairs.excluded.tolist() == [True]
    assert pairs.matrix().nnz == 0


def test_what_cancels_out_leaves_zero_and_the_pair_stays() -> None:
    log = an_event_log([("u", "x")] * 6, [0.2] * 5 + [-1])
    assert pairs_of(log, 10.0, 1.0).strengths.tolist() == [0]


def test_what_neither_counts_nor_excludes_is_nobodys_behaviour() -> None:
    log = an_event_log([("u", "x"), ("v", "y")], types=["purchase", "impression"])
    pairs = pairs_of(log, 10.0, 1.0)
    assert list(pairs.users) == ["u"]
    assert list(pairs.items) == ["x"]


def test_only_types_that_exclude_keep_an_item_out() -> None:
    log = an_event_log([("u", "x"), ("u", "y"), ("u", "x")], types=["view", "view", "purchase"])
    assert pairs_of(log, 10.0, 1.0).excluded.tolist() == [True, False]


def test_age_is_measured_from_the_newest_event() -> None:
    log = an_event_log([("u", "x"), ("u", "y")], times=[5 * DAY_MS, 15 * DAY_MS])
    pairs = pairs_of(log, 10.0, 5.0)
    assert pairs.strengths == pytest.approx([0.5, 1])
    assert pairs.recent_strengths == pytest.approx([0.25, 1])


def test_without_time_whatever_was_wanted_is_wanted_now() -> None:
    log = an_event_log([("u", "x"), ("u", "y"), ("u", "z")], values=[0.3, 7, -1])
    pairs = pairs_of(log, 10.0, 1.0)
    assert pairs.strengths == pytest.approx([0.3, 7, -1])
    assert pairs.recent_strengths.tolist() == [1, 1, 0]


def test_the_order_of_events_does_not_matter() -> None:
    random = np.random.default_rng(4)
    events = [(f"u{user}", f"i{item}") for user, item in random.integers(6, size=(200, 2))]
    values = random.normal(size=200).tolist()
    shuffled = random.permutation(200)
    one = pairs_of(an_event_log(events, values=values), 10.0, 1.0)
    other = pairs_of(
        an_event_log([events[n] for n in shuffled], values=[values[n] for n in shuffled]), 10.0, 1.0
    )
    assert np.array_equal(one.strengths, other.strengths)
    assert np.array_equal(one.item_indices, other.item_indices)


def test_a_log_without_events_has_no_pairs() -> None:
    assert pairs_of(an_event_log([]), 10.0, 1.0).shape == (0, 0)
