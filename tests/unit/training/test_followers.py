"""Followers, against a slow double loop."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.core.model import NO_NEIGHBOUR
from recsys.training.followers import WINDOW, item_followers
from recsys.training.interactions import InteractionMatrix, make_pairs


def ordered_pairs(events: list[tuple[str, str, int]], strengths: list[float]) -> InteractionMatrix:
    users, items, times = zip(*events, strict=True)
    return make_pairs(
        np.array(users, object),
        np.array(items, object),
        np.array(strengths),
        np.array(strengths),
        np.ones(len(events), np.bool_),
        times_ms=np.array(times),
    )


def random_pairs(seed: int) -> InteractionMatrix:
    random = np.random.default_rng(seed)
    events = {(u, i) for u, i in random.integers(0, 12, (150, 2)).tolist()}
    return ordered_pairs(
        [(f"u{u:02}", f"i{i:02}", int(random.integers(0, 9))) for u, i in sorted(events)],
        random.random(len(events)).tolist(),
    )


def by_definition(pairs: InteractionMatrix) -> NDArray[np.float64]:
    n = len(pairs.items)
    found = np.zeros((n, n))
    for user in range(len(pairs.users)):
        span = slice(pairs.indptr[user], pairs.indptr[user + 1])
        items, steps, strengths = (
            each[span] for each in (pairs.item_indices, pairs.steps, pairs.strengths)
        )
        shares = [
            s / strengths[steps == step].sum() for s, step in zip(strengths, steps, strict=True)
        ]
        for a, j in enumerate(items):
            for b, i in enumerate(items):
                distance = steps[a] - steps[b]
                if 1 <= distance <= WINDOW:
                    found[j, i] += np.sqrt(shares[a] * shares[b]) / distance
    roots = [np.sqrt(np.maximum(found.sum(axis), 1e-30)) for axis in (1, 0)]
    return found / roots[0][:, None] / roots[1]


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_the_definition(seed: int) -> None:
    pairs = random_pairs(seed)
    expected = by_definition(pairs)
    lists = item_followers(pairs, np.ones(len(pairs.items), np.bool_), 4)
    for row, best in enumerate(expected):
        assert lists.scores[row] == pytest.approx(np.sort(best)[::-1][:4], abs=1e-6)
        listed = lists.items[row] != NO_NEIGHBOUR
        assert best[lists.items[row][listed]] == pytest.approx(lists.scores[row][listed], abs=1e-6)


def test_order_has_a_direction() -> None:
    events = [(user, item, time) for user in "abc" for item, time in (("tent", 1), ("stove", 2))]
    lists = item_followers(ordered_pairs(events, [1.0] * 6), np.ones(2, np.bool_), 1)
    # Rows are in the order of ids: the stove, the tent.
    assert lists.items.tolist() == [[NO_NEIGHBOUR], [0]]


def test_what_comes_in_one_order_follows_nothing_of_it() -> None:
    pairs = ordered_pairs([("a", "x", 1), ("a", "y", 1)], [1.0, 1.0])
    assert not item_followers(pairs, np.ones(2, np.bool_), 1).scores.any()


def test_data_without_order_has_no_followers() -> None:
    ids = np.array(["a", "a"], object), np.array(["x", "y"], object)
    pairs = make_pairs(*ids, np.ones(2), np.ones(2), np.ones(2, np.bool_))
    assert not pairs.is_ordered
    assert not item_followers(pairs, np.ones(2, np.bool_), 1).scores.any()


def test_what_may_not_be_sold_follows_nothing() -> None:
    pairs = ordered_pairs([("a", "x", 1), ("a", "y", 2), ("a", "z", 3)], [1.0] * 3)
    lists = item_followers(pairs, np.array([True, False, True]), 2)
    assert lists.items[0].tolist() == [2, NO_NEIGHBOUR]


def test_of_a_robot_only_the_newest_items_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.training.followers.MAX_ITEMS_PER_USER", 2)
    pairs = ordered_pairs([("a", "x", 1), ("a", "y", 2), ("a", "z", 3)], [1.0] * 3)
    lists = item_followers(pairs, np.ones(3, np.bool_), 1)
    assert lists.items.tolist() == [[NO_NEIGHBOUR], [2], [NO_NEIGHBOUR]]
