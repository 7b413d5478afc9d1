"""Made-up shoppers and what came of them."""

import pytest

from recsys.analysis.attribution import compare
from recsys.analysis.made_up_experiment import made_up_shoppers, outcome_of


def test_they_click_as_often_as_they_are_made_to_and_no_chain_grows() -> None:
    shoppers = made_up_shoppers(20_000, 0.1, seed=1)
    whole = outcome_of(shoppers, "home", "test", "a")
    assert whole.rates["click_rate"].value == pytest.approx(0.1, rel=0.05)
    assert whole.shown > whole.clicked > whole.carted > whole.orders > 0
    assert whole.revenue == pytest.approx(shoppers.revenue.sum(), abs=0.01)
    assert outcome_of(shoppers.first(10), "home", "test", "a").users == 10


def test_a_variant_that_is_clicked_more_is_found_and_an_equal_one_is_not() -> None:
    a, same, more = (
        outcome_of(made_up_shoppers(5000, rate, seed), "home", "test", name)
        for name, rate, seed in (("a", 0.1, 1), ("same", 0.1, 2), ("more", 0.12, 3))
    )
    more_less_a, same_less_a = compare([a, same, more], {"test": "a"})
    assert more_less_a.differences["click_rate"].low > 0
    assert (
        same_less_a.differences["click_rate"].low < 0 < same_less_a.differences["click_rate"].high
    )
