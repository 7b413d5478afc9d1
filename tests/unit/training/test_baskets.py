"""Items bought together, against counting by hand and a slow double loop."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.core.model import NO_NEIGHBOUR
from recsys.training.baskets import MIN_BASKETS, Purchases, bought_together


def purchases_of(baskets: list[list[int]]) -> Purchases:
    lines = [(item, 1000 - basket) for basket, items in enumerate(baskets) for item in items]
    items, numbers = np.array(lines).T
    return Purchases(items.astype(np.int32), numbers.astype(np.int64))


def everything(items: int) -> NDArray[np.bool_]:
    return np.ones(items, np.bool_)


def by_definition(baskets: list[list[int]], items: int) -> NDArray[np.float64]:
    sets = [set(basket) for basket in baskets]
    found = np.zeros((items, items))
    for i in range(items):
        for j in range(items):
            own, other = (sum(row in basket for basket in sets) for row in (i, j))
            both = sum({i, j} <= basket for basket in sets)
            lift = both * len(sets) / (own * other) if both else 0.0
            if i != j and both >= MIN_BASKETS and lift > 1:
                found[i, j] = np.sqrt(lift * both / len(sets))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    baskets = [random.choice(9, random.integers(1, 6), replace=False).tolist() for _ in range(60)]
    lists = bought_together(purchases_of(baskets), everything(9), 4)
    for row, best in enumerate(by_definition(baskets, 9)):
        assert lists.scores[row] == pytest.approx(np.sort(best)[::-1][:4], abs=1e-6)
        listed = lists.items[row] != NO_NEIGHBOUR
        assert best[lists.items[row][listed]] == pytest.approx(lists.scores[row][listed], abs=1e-6)


def test_what_everybody_buys_is_no_partner_of_anything() -> None:
    """A bag is in every basket: a lift of one."""
    baskets = [[0, 1, 4]] * 5 + [[2, 3, 4]] * 5
    lists = bought_together(purchases_of(baskets), everything(5), 3)
    assert lists.items[:, 0].tolist() == [1, 0, 3, 2, NO_NEIGHBOUR]
    assert (lists.items[:, 1:] == NO_NEIGHBOUR).all()


def test_a_pair_needs_more_than_a_coincidence() -> None:
    rest = [[2], [3]] * 10
    seldom = bought_together(purchases_of([[0, 1]] * (MIN_BASKETS - 1) + rest), everything(4))
    assert (seldom.items == NO_NEIGHBOUR).all()
    enough = bought_together(purchases_of([[0, 1]] * MIN_BASKETS + rest), everything(4))
    assert enough.items[:, 0].tolist() == [1, 0, NO_NEIGHBOUR, NO_NEIGHBOUR]
    assert enough.scores[0, 0] == pytest.approx(1.0)


def test_a_line_that_repeats_counts_once() -> None:
    rest = [[2]] * 5
    repeated = bought_together(purchases_of([[0, 1, 0, 1, 0, 1], *rest]), everything(3))
    assert (repeated.items == NO_NEIGHBOUR).all()


def test_a_resellers_order_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.training.baskets.MAX_BASKET_ITEMS", 2)
    baskets = [[0, 1]] * 3 + [[2, 3, 4]] * 9
    lists = bought_together(purchases_of([*baskets, [2], [3]]), everything(5))
    assert lists.items[:, 0].tolist() == [1, 0, *[NO_NEIGHBOUR] * 3]


def test_what_may_not_be_sold_is_nobodys_partner() -> None:
    baskets = [[0, 1]] * 4 + [[2]] * 4
    lists = bought_together(purchases_of(baskets), np.array([True, False, True]))
    assert lists.items[:, 0].tolist() == [NO_NEIGHBOUR, 0, NO_NEIGHBOUR]


def test_a_shop_without_orders_has_no_partners() -> None:
    nothing = Purchases(np.empty(0, np.int32), np.empty(0, np.int64))
    lists = bought_together(nothing, everything(3))
    assert (lists.items == NO_NEIGHBOUR).all()
