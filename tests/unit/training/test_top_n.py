"""Bulk lists against the one calculation of the core."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.ranking import top_n_rows
from recsys.core.scoring import score_users
from recsys.training.top_n import top_n_lists
from tests.builders import a_history, a_user_model, an_item_model


@settings(max_examples=40)
@given(st.integers(3, 1300), st.integers(1, 40), st.integers(0, 10_000))
def test_lists_are_those_of_the_core(n: int, length: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    items = an_item_model(
        n,
        seed=seed,
        trend=random.uniform(0.5, 2, n).astype(np.float32),
        eligible=random.random(n) < 0.9,
    )
    histories = [
        a_history(
            random.choice(n, size, replace=False),
            random.uniform(-1, 1, size),
            random.random(size) < 0.5,
        )
        for size in random.integers(0, min(n, 30), 5)
    ]
    users = a_user_model(histories)
    lists = top_n_lists(items, users, np.arange(5), 0.7, length)
    scores = score_users(users.factors, items, histories, 0.7)
    for user, expected in enumerate(top_n_rows(scores, length)):
        found = lists.items[user][lists.items[user] >= 0]
        assert len(found) == len(expected)
        # Two ways to add up floats may order what is all but equal in two ways.
        assert scores[user][found] == pytest.approx(scores[user][expected], abs=1e-5)
        assert lists.scores[user][: len(found)] == pytest.approx(scores[user][found], abs=1e-5)


def test_equal_scores_are_ordered_by_item() -> None:
    items = an_item_model(700, factors=np.ones((700, 3), np.float32))
    users = a_user_model([a_history([])])
    lists = top_n_lists(items, users, np.arange(1), 0.0, 90)
    assert lists.items[0].tolist() == list(range(90))


def test_a_list_ends_where_no_more_may_be_listed() -> None:
    items = an_item_model(6, eligible=np.array([True, True, True, False, False, False]))
    users = a_user_model([a_history([1])])
    lists = top_n_lists(items, users, np.arange(1), 0.0, 5)
    assert sorted(lists.items[0].tolist()) == [-1, -1, -1, 0, 2]
    assert lists.scores[0][2:].tolist() == [-np.inf] * 3


def test_only_the_asked_users_are_listed_in_the_asked_order() -> None:
    users = a_user_model([a_history([n]) for n in range(5)])
    both = top_n_lists(an_item_model(40), users, np.array([3, 1]), 0.3, 4)
    each = [top_n_lists(an_item_model(40), users, np.array([row]), 0.3, 4) for row in (3, 1)]
    assert both.items.tolist() == [found.items[0].tolist() for found in each]
