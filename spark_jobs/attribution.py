"""From impressions to orders, on Spark: what came of each placement and variant.

An event of type `impression` says what was shown: its context has the `recommendation_id` of the
answer, the `placement` and, in an experiment, `experiment` and `variant`. Other events of the same
shopper about the same item, whose context has the same `recommendation_id`, came of it. Times do
not matter: nobody has an id before the answer, and clocks of browsers and shops differ.
"""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from recsys.analysis.attribution import Moments, Outcome, Rate
from recsys.config.shop import Shop
from recsys.core.event_types import IMPRESSION
from recsys.core.experiment_report import RATES

_GROUP = ("placement", "experiment", "variant")
_SHOWN = ("user_id", "item_id", "recommendation_id")
_SUMMED = ("clicked", "carted", "orders", "unpriced_orders", "revenue")
# Sums over shoppers by which rates are made: y by x, both columns of a shopper.
_RATIOS = dict(
    zip(
        RATES,
        (("clicked", "shown"), ("carted", "shown"), ("converted", "one"), ("revenue", "one")),
        strict=True,
    )
)


def attributed(events: DataFrame, shop: Shop, cart_type: str) -> list[Outcome]:
    """What came of each placement and variant, in the order of their names.

    Args:
        events: with details and context.
        cart_type: the type of event by which an item comes into a basket.
    """
    named = events.withColumn("recommendation_id", F.col("context")["recommendation_id"])
    named = named.where(F.col("recommendation_id").isNotNull())
    is_impression = F.col("event_type") == IMPRESSION
    # All in one grouping: the events are read from HBase once.
    by_item = named.groupBy(*_SHOWN).agg(
        F.max(is_impression).alias("was_shown"),
        *(_from_context(name, is_impression) for name in _GROUP),
        *_actions(~is_impression, shop, cart_type),
    )
    by_user = (
        by_item.where("was_shown")
        .groupBy(*_GROUP, "user_id")
        .agg(
            F.count("*").alias("shown"),
            *(F.sum(name).alias(name) for name in _SUMMED),
        )
    )
    by_user = by_user.withColumn("converted", (F.col("orders") > 0).cast("double"))
    sums = (
        by_user.withColumn("one", F.lit(1.0))
        .groupBy(*_GROUP)
        .agg(
            F.count("*").alias("users"),
            *(F.sum(name).alias(name) for name in ("shown", *_SUMMED)),
            *(column for rate, pair in _RATIOS.items() for column in _moments(rate, *pair)),
        )
    )
    return [_outcome(row) for row in sums.orderBy(*_GROUP).collect()]


def _from_context(name: str, is_impression: Column) -> Column:
    """A field of the impressions' context, empty where there is none."""
    value = F.coalesce(F.col("context")[name], F.lit(""))
    return F.min(F.when(is_impression, value)).alias(name)


def _actions(is_action: Column, shop: Shop, cart_type: str) -> Iterable[Column]:
    """What a shopper did with an item of a recommendation."""
    kind = F.col("event_type")
    clicks = [name for name, each in shop.event_types.items() if each.weight > 0]
    is_order = is_action & kind.isin(list(shop.target_types))
    spent = F.coalesce(F.col("price"), F.lit(0.0)) * F.coalesce(F.col("quantity"), F.lit(1.0))
    yield F.max((is_action & kind.isin(clicks)).cast("double")).alias("clicked")
    yield F.max((is_action & (kind == cart_type)).cast("double")).alias("carted")
    yield F.sum(is_order.cast("double")).alias("orders")
    is_unpriced = is_order & F.col("price").isNull()
    yield F.sum(is_unpriced.cast("double")).alias("unpriced_orders")
    yield F.sum(F.when(is_order, spent).otherwise(0.0)).alias("revenue")


def _moments(rate: str, y: str, x: str) -> Iterable[Column]:
    for name, column in {
        "y": F.col(y),
        "yy": F.col(y) * F.col(y),
        "x": F.col(x),
        "xx": F.col(x) * F.col(x),
        "xy": F.col(x) * F.col(y),
    }.items():
        yield F.sum(column.cast("double")).alias(f"{rate}_{name}")


def _outcome(row: Row) -> Outcome:
    rates = {}
    for rate in RATES:
        moments = Moments(**{name: row[f"{rate}_{name}"] for name in ("y", "yy", "x", "xx", "xy")})
        rates[rate] = Rate.of(moments, row["users"])
    return Outcome(
        placement=row["placement"],
        experiment=row["experiment"],
        variant=row["variant"],
        users=row["users"],
        shown=row["shown"],
        clicked=int(row["clicked"]),
        carted=int(row["carted"]),
        orders=int(row["orders"]),
        revenue=round(row["revenue"], 2),
        rates=rates,
        unpriced_orders=int(row["unpriced_orders"]),
    )
