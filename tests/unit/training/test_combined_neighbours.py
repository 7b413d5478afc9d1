"""Neighbours and followers in one list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.model import NO_NEIGHBOUR
from recsys.training.combined_neighbours import combine
from recsys.training.neighbours import NeighbourLists


def random_lists(n: int, count: int, random: np.random.Generator) -> NeighbourLists:
    lists = NeighbourLists.empty(n, count)
    for row in range(n):
        length = int(random.integers(0, min(count, n - 1) + 1))
        others = random.permutation(np.delete(np.arange(n), row))[:length]
        lists.items[row, :length] = others
        lists.scores[row, :length] = np.sort(random.random(length) + 0.01)[::-1]
    return lists


def dense(lists: NeighbourLists) -> np.ndarray:
    n = len(lists.items)
    found = np.zeros((n, n + 1))
    for row in range(n):
        np.add.at(found[row], lists.items[row] + 1, lists.scores[row])
    return found[:, 1:]


@given(st.integers(2, 12), st.integers(0, 5), st.integers(0, 5), st.integers(1, 8), st.integers(0))
def test_the_best_of_the_sum_are_listed(n: int, m: int, f: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    near, next_ = random_lists(n, m, random), random_lists(n, f, random)

    found = combine(near, next_, 0.7, count)

    by_order = 0.7 * dense(next_)
    total = dense(near) + by_order
    for row in range(n):
        best = np.sort(total[row])[::-1]
        best = np.pad(best, (0, max(count - n, 0)))[:count]
        assert found.scores[row] == pytest.approx(best, abs=1e-6)
        listed = found.items[row] != NO_NEIGHBOUR
        assert listed.sum() == (best > 0).sum()
        items = found.items[row][listed]
        assert total[row, items] == pytest.approx(found.scores[row][listed], abs=1e-6)
        shares = by_order[row, items] / total[row, items]
        assert found.order_shares[row][listed] == pytest.approx(shares, abs=1e-3)


def test_without_followers_nothing_changes() -> None:
    near = random_lists(8, 3, np.random.default_rng(1))
    found = combine(near, NeighbourLists.empty(8, 0), 0.0, 3)
    assert found.items.tolist() == near.items.tolist()
    assert found.scores.tolist() == near.scores.tolist()
    assert not found.order_shares.any()
