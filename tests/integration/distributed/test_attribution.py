"""From impressions to orders by Spark: figures counted by hand, and an A/A test."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from recsys.analysis.attribution import compare
from recsys.config.shop import Shop, load_shop
from recsys.core.experiment_report import RATES
from recsys.core.serving.experiments import Experiment, Variant
from spark_jobs.attribution import attributed

SHOP: Shop = load_shop()
_SCHEMA = (
    "user_id string, item_id string, event_type string, timestamp_ms bigint, quantity double,"
    " price double, order_id string, context map<string, string>"
)
Line = tuple[str, str, str, str, Mapping[str, str], float | None, float | None]


def shown(user: str, item: str, answer: str, variant: str = "", placement: str = "home") -> Line:
    context = {"placement": placement}
    if variant:
        context |= {"experiment": "test", "variant": variant}
    return user, item, "impression", answer, context, None, None


def did(
    user: str,
    item: str,
    kind: str,
    answer: str,
    quantity: float | None = None,
    price: float | None = None,
) -> Line:
    return user, item, kind, answer, {}, quantity, price


def events(spark: SparkSession, lines: Sequence[Line]) -> DataFrame:
    rows = [
        (
            *(user, item, kind, place, quantity, price, None),
            {**context, **({"recommendation_id": answer} if answer else {})},
        )
        for place, (user, item, kind, answer, context, quantity, price) in enumerate(lines)
    ]
    return spark.createDataFrame(rows, _SCHEMA)


def test_figures_are_those_counted_by_hand(cluster: SparkSession) -> None:
    lines = [
        # Ann sees two items twice each in one answer, clicks one twice and buys two of it for 3.
        *[shown("ann", item, "r1", "a") for item in ("cup", "pan", "cup", "pan")],
        *[did("ann", "cup", "click", "r1"), did("ann", "cup", "view", "r1")],
        *[did("ann", "cup", "add_to_cart", "r1"), did("ann", "cup", "purchase", "r1", 2.0, 3.0)],
        # In another answer one item, and a purchase without quantity.
        *[shown("ann", "jug", "r2", "a"), did("ann", "jug", "purchase", "r2", None, 5.0)],
        # Bob sees one item and dislikes it, which is no click.
        *[shown("bob", "cup", "r3", "a"), did("bob", "cup", "dislike", "r3")],
        # Cat has the other variant, and Dan none.
        *[shown("cat", "cup", "r4", "b"), did("cat", "cup", "click", "r4")],
        # Who bought without a price: what that is worth is not known.
        did("cat", "cup", "purchase", "r4", 2.0, None),
        shown("dan", "cup", "r5"),
        # Not of any answer, of another shopper's, another item, or never shown.
        did("ann", "cup", "purchase", "", 9.0, 99.0),
        did("bob", "cup", "click", "r1"),
        did("bob", "pan", "click", "r3"),
        did("eve", "cup", "purchase", "r9", 1.0, 99.0),
    ]
    none, a, b = attributed(events(cluster, lines), SHOP, "add_to_cart")
    assert (none.placement, none.experiment, none.variant) == ("home", "", "")
    assert (none.users, none.shown, none.clicked) == (1, 1, 0)
    assert (a.experiment, a.variant, a.users, a.shown) == ("test", "a", 2, 4)
    assert (a.clicked, a.carted, a.orders, a.revenue) == (2, 1, 2, 11.0)
    assert [round(a.rates[name].value, 6) for name in RATES] == [2 / 4, 1 / 4, 1 / 2, 5.5]
    # Ann clicked 2 of 3, Bob 0 of 1: y - Rx = .5, -.5; var = .5 * 2 / (1 * 16).
    assert a.rates["click_rate"].variance == pytest.approx(0.5 * 2 / 16)
    # 11 and 0: variance of the mean 60.5 / 2.
    assert a.rates["revenue_per_user"].variance == pytest.approx(60.5 / 2)
    assert (b.variant, b.users, b.clicked, b.revenue) == ("b", 1, 1, 0.0)
    assert (a.unpriced_orders, b.orders, b.unpriced_orders) == (0, 1, 1)
    [compared] = compare([none, a, b])
    assert compared.differences["click_rate"].mean == pytest.approx(0.5)


def test_an_a_a_test_over_made_up_shoppers_shows_no_difference(cluster: SparkSession) -> None:
    experiment = Experiment(
        "test", "default", frozenset({"home"}), 0, 1, (Variant("a", 1), Variant("b", 1))
    )
    random, lines = np.random.default_rng(1), list[Line]()
    for number in range(2000):
        user = f"u{number}"
        variant = experiment.variant_of("shop", user)
        assert variant is not None
        # Shoppers differ, variants do not.
        taste = random.beta(1, 9)
        for place in range(int(random.integers(1, 15))):
            item, answer = f"i{place}", f"{user}.{place // 5}"
            lines.append(shown(user, item, answer, variant.name))
            if random.random() < taste:
                lines.append(did(user, item, "click", answer))
                if random.random() < 0.3:
                    price = float(random.lognormal(2, 1))
                    lines.append(did(user, item, "add_to_cart", answer))
                    lines.append(did(user, item, "purchase", answer, 1.0, price))
    found = attributed(events(cluster, lines), SHOP, "add_to_cart")
    assert sum(outcome.users for outcome in found) == 2000
    [compared] = compare(found)
    for name in RATES:
        difference = compared.differences[name]
        assert difference.low < 0 < difference.high, name
    # With a real difference of the same size as the rate it would.
    worse = [line for line in lines if line[2] == "impression" or random.random() < 0.5]
    better_a = [line for line in lines if variant_of(experiment, line[0]) == "a"]
    worse_b = [line for line in worse if variant_of(experiment, line[0]) == "b"]
    [differs] = compare(attributed(events(cluster, better_a + worse_b), SHOP, "add_to_cart"))
    assert differs.differences["click_rate"].high < 0


def variant_of(experiment: Experiment, user: str) -> str | None:
    variant = experiment.variant_of("shop", user)
    return variant.name if variant else None
