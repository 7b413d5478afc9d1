import numpy as np
import pytest

from recsys.training.content.expected_sales import chances_to_sell


def chances(
    shoppers: list[int],
    *,
    late: tuple[int, ...] = (),
    new: tuple[int, ...] = (),
    hidden: tuple[int, ...] = (),
) -> list[float]:
    rows = np.arange(len(shoppers))
    found = chances_to_sell(
        np.array(shoppers), np.isin(rows, late), ~np.isin(rows, hidden), np.isin(rows, new)
    )
    assert found.dtype == np.float32
    return found.tolist()


def test_as_many_are_expected_to_sell_as_the_estimate_of_chao_says() -> None:
    # f1 = 4, f2 = 1: 4 * 3 / (2 * 2) = 3 of the 6.
    assert chances([1, 1, 1, 1, 2, 9] + [0] * 6) == [1.0] * 6 + [0.5] * 6


def test_where_more_are_expected_than_there_are_all_count() -> None:
    assert chances([1] * 10 + [0, 0]) == [1.0] * 12


def test_where_all_that_sells_sold_often_one_of_the_others_is_expected() -> None:
    assert chances([50] * 20 + [0] * 40)[20:] == pytest.approx([1 / 40] * 40)


def test_where_new_finds_sell_well_what_is_left_may_too() -> None:
    # Four of ten items without a shopper were found in the last tenth of all 400 pairs and sold 5
    # each, 2 an item; the other 20 sold the remaining 20, one each.
    shoppers = [5] * 4 + [19] * 20 + [0] * 6
    assert chances(shoppers, late=(0, 1, 2, 3))[24:] == [1.0] * 6
    # Of 200 such items each sold 20 / 204.
    shoppers = [5] * 4 + [19] * 20 + [0] * 200
    assert chances(shoppers, late=(0, 1, 2, 3))[24:] == pytest.approx([20 / 204] * 200)


def test_where_all_happened_at_one_moment_new_finds_say_nothing() -> None:
    assert chances([30, 30, 0, 0, 0, 0], late=(0, 1))[2:] == [0.25] * 4


def test_where_only_new_finds_sold_lately_what_is_left_may_too() -> None:
    assert chances([20, 90, 90, 0, 0, 0], late=(0,))[3:] == [1.0] * 3


def test_new_items_count_and_are_none_of_the_others() -> None:
    assert chances([50, 50, 0, 0, 0], new=(4,)) == [1, 1, 0.5, 0.5, 1]


def test_items_that_may_not_be_recommended_are_not_counted() -> None:
    # Without those of one shopper nothing says that any was overlooked.
    assert chances([1, 1, 1, 50, 0, 0], hidden=(0, 1, 2, 5))[4:] == [1.0, 1.0]
    assert chances([1, 1, 1, 50, 0, 0, 0, 0], hidden=(0, 1, 2))[4:] == [0.25] * 4


@pytest.mark.parametrize("shoppers", [[], [0], [0, 0], [3, 5]])
def test_a_shop_of_next_to_nothing_has_chances_too(shoppers: list[int]) -> None:
    found = chances(shoppers)
    assert len(found) == len(shoppers)
    assert all(0 < chance <= 1 for chance in found)
