from collections.abc import Sequence

import numpy as np
import pytest

from recsys.training.event_log import pairs_of
from recsys.training.interactions import InteractionMatrix, make_pairs
from recsys.training.popularity import (
    TREND_PRIOR_SHOPPERS,
    Shoppers,
    popular_items,
    rising_items,
)
from tests.builders import an_event_log


def shoppers_of(items: dict[str, Sequence[float]]) -> InteractionMatrix:
    """For each item the recent strengths of as many shoppers, each with strength one in all."""
    rows = [(f"u{n}", item, now) for item, all_ in items.items() for n, now in enumerate(all_)]
    users, names, recent = zip(*rows, strict=True)
    ones = np.ones(len(rows))
    return make_pairs(
        np.array(users, object), np.array(names, object), ones, np.array(recent), ones > 1
    )


def test_one_shopper_is_one_voice_however_much_it_buys() -> None:
    pairs = shoppers_of({"wholesale": [100.0], "loved": [0.6, 0.6], "rare": [0.1]})
    popular = [pairs.items.id_of(row) for row in popular_items(pairs)]
    assert popular == ["loved", "wholesale", "rare"]


def test_what_sells_better_lately_has_a_trend_above_one() -> None:
    pairs = shoppers_of({"falling": [0.0] * 50, "rising": [1.0] * 50})
    falling, rising = Shoppers.of(pairs).trends(0.75)
    assert falling < 1 < rising


def test_the_trend_is_the_smoothed_ratio() -> None:
    pairs = shoppers_of({"a": [1.0, 0.5], "b": [0.25]})
    share = 1.75 / 3
    prior = TREND_PRIOR_SHOPPERS
    expected = [
        ((1.5 + prior * share) / (2 + prior) / share) ** 0.5,
        ((0.25 + prior * share) / (1 + prior) / share) ** 0.5,
    ]
    assert Shoppers.of(pairs).trends(0.5) == pytest.approx(expected)


def test_who_dislikes_an_item_takes_nothing_from_its_popularity_and_its_trend() -> None:
    wanted = [("ann", "cup"), ("bob", "cup"), ("ann", "pot")]
    plain = an_event_log(wanted, times=[1, 2, 3])
    with_dislikes = an_event_log(
        [*wanted, ("eve", "cup"), ("eve", "pot"), ("joe", "cup")],
        types=["purchase"] * 3 + ["dislike"] * 3,
        times=[1, 2, 3, 3, 3, 3],
    )
    one, other = (pairs_of(log, 10.0, 1.0) for log in (plain, with_dislikes))
    assert popular_items(one).tolist() == popular_items(other).tolist()
    assert Shoppers.of(one).trends(0.75) == pytest.approx(Shoppers.of(other).trends(0.75))


@pytest.mark.parametrize("recent", [0.0, 1.0])
def test_data_without_time_has_no_trend(recent: float) -> None:
    pairs = shoppers_of({"often": [recent] * 40, "once": [recent]})
    assert Shoppers.of(pairs).trends(0.75) == pytest.approx([1.0, 1.0])


def test_what_rises_is_wanted_more_lately_than_its_past_lets_one_expect() -> None:
    pairs = shoppers_of(
        {"always": [0.1] * 200, "fallen": [0.0] * 40, "once": [1.0], "risen": [1.0] * 20}
    )
    assert [pairs.items.id_of(row) for row in rising_items(pairs)] == ["risen", "once"]


def test_the_rise_is_a_standardised_residual() -> None:
    wanted = {"a": [1.0] * 6 + [0.0] * 4, "b": [1.0] * 3 + [0.0] * 1, "c": [0.0] * 6}
    pairs = shoppers_of(wanted)
    share = 9 / 20
    rises = {
        "a": (6 - 10 * share) / (10 * share + 1) ** 0.5,
        "b": (3 - 4 * share) / (4 * share + 1) ** 0.5,
    }
    expected = sorted(rises, key=lambda item: -rises[item])
    assert [pairs.items.id_of(row) for row in rising_items(pairs)] == expected


def test_in_data_without_time_nothing_rises() -> None:
    pairs = shoppers_of({"often": [1.0] * 40, "once": [1.0]})
    assert rising_items(pairs).tolist() == []
    assert rising_items(shoppers_of({"often": [0.0] * 3})).tolist() == []
