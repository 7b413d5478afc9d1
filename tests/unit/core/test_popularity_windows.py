import numpy as np
import pytest

from recsys.core.errors import InvalidModel
from recsys.core.popularity_windows import PopularityWindow, window_problem
from tests.builders import a_window, an_item_model


def test_a_window_that_the_shop_counts_and_none_at_all_are_right() -> None:
    assert window_problem(7, (1, 7, 30)) is None
    assert window_problem(0, (1, 7, 30)) is None
    assert window_problem(0, ()) is None


def test_another_one_is_told_which_there_are() -> None:
    assert window_problem(5, {30, 1, 7}) == (
        "5 is not one of the windows that this shop counts: 1, 7, 30"
    )
    assert "popularity_windows_days" in (window_problem(7, ()) or "")


@pytest.mark.parametrize(
    ("popular", "shoppers", "rising", "rises"),
    [([0, 1], [3], [], []), ([0], [0], [], []), ([0], [1], [0], [np.nan]), ([], [], [1], [-0.5])],
)
def test_what_cannot_have_been_counted_is_no_window(
    popular: list[int], shoppers: list[int], rising: list[int], rises: list[float]
) -> None:
    with pytest.raises(InvalidModel, match="of a window"):
        a_window(popular, shoppers, rising, rises)


@pytest.mark.parametrize("window", [a_window([6], [1]), a_window([0], [1], [-1], [1.0])])
def test_a_window_of_items_that_there_are_not_makes_no_model(window: PopularityWindow) -> None:
    with pytest.raises(InvalidModel, match="points to one that is not there"):
        an_item_model(6, windows={7: window})
