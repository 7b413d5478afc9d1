"""Orders among the events of a snapshot, on Spark: what stood in one basket, what came again, and
how many bought what within a window of time.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from recsys.config.shop import Shop
from recsys.core.errors import NotFound
from recsys.core.repurchases import Repurchases, UserRepurchases
from recsys.core.shop_time import ShopTime
from recsys.core.times import MS_PER_DAY
from recsys.core.vocabulary import Vocabulary
from recsys.training.baskets import Purchases
from recsys.training.popularity import PAST_WINDOWS
from spark_jobs.collected import collected

_CODED = "item int, basket long"


def read_purchases(
    spark: SparkSession, events: Path, shop: Shop, items: Vocabulary, *, before_ms: int
) -> Purchases:
    """Goal events before a time: twelve bytes each, for the driver.

    A basket is what a user bought by one order id or, without one, at one moment.

    Args:
        items: the rows of the model; what is not among them is left out.

    Raises:
        NotFound: when order ids were not read.
    """
    read = spark.read.parquet(str(events))
    if "order_id" not in read.columns:
        raise NotFound(f"{events} has no order_id: run `recsys nightly read` first")
    goals = read.where(
        (F.col("timestamp_ms") < before_ms) & F.col("event_type").isin(list(shop.target_types))
    )
    order = F.coalesce(F.col("order_id"), F.col("timestamp_ms").cast("string"))
    # Of 10^8 baskets two have the same hash with a probability of 3 in 10,000.
    lines = goals.select("item_id", F.xxhash64("user_id", order).alias("basket"))
    table = collected(lines.mapInArrow(_coder(items), _CODED), events)
    return Purchases(table["item"].to_numpy(), table["basket"].to_numpy())


def _coder(items: Vocabulary) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    ids = pa.array(items, pa.string())

    def code(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = pc.index_in(batch["item_id"], ids)
            coded = pa.RecordBatch.from_pydict({"item": rows, "basket": batch["basket"]})
            yield coded.filter(rows.is_valid())

    return code


def read_repurchases(
    spark: SparkSession,
    events: Path,
    shop: Shop,
    users: Vocabulary,
    items: Vocabulary,
    *,
    before_ms: int,
) -> UserRepurchases:
    """What each user bought on two days or more, before a time.

    What was disliked or returned after the last purchase is left out.

    Args:
        users, items: the rows of the model; what is not among them is left out.
    """
    dislikes = [name for name, kind in shop.event_types.items() if kind.is_dislike]
    time, kind = F.col("timestamp_ms"), F.col("event_type")
    bought = F.when(kind.isin(list(shop.target_types)), time)
    day = F.floor(bought / int(MS_PER_DAY))
    # Views are most of all events, and need not be sorted by pair for this.
    said = spark.read.parquet(str(events)).where(
        (time < before_ms) & kind.isin([*shop.target_types, *dislikes])
    )
    by_pair = said.groupBy("user_id", "item_id").agg(
        F.countDistinct(day).alias("count"),
        F.min(day).alias("first_day"),
        F.max(day).alias("last_day"),
        F.max(bought).alias("bought_ms"),
        F.max(F.when(kind.isin(dislikes), time)).alias("disliked_ms"),
    )
    again = by_pair.where(
        (F.col("count") > 1)
        & (F.col("disliked_ms").isNull() | (F.col("disliked_ms") < F.col("bought_ms")))
    )
    table = collected(again.select("user_id", "item_id", "count", "first_day", "last_day"), events)
    return _by_user(table, users, items)


def read_shoppers(
    spark: SparkSession,
    events: Path,
    shop: Shop,
    items: Vocabulary,
    *,
    before_ms: int,
    shop_time: ShopTime,
) -> dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """How many users bought each item, (n,), by the days of each window: in it, and in its past.

    Args:
        items: the rows of the model; what is not among them is left out.
        shop_time: windows end with it.
    """
    time, user = F.col("timestamp_ms"), F.col("user_id")
    counts = []
    for days in shop.windows_days:
        start, past = (shop_time.days_before(days * n) for n in (1, 1 + PAST_WINDOWS))
        is_past = (time >= past) & (time < start)
        counts += [
            F.countDistinct(F.when(time >= start, user)).alias(f"recent_{days}"),
            F.countDistinct(F.when(is_past, user)).alias(f"past_{days}"),
        ]
    if not counts:
        return {}
    earliest = shop_time.days_before(max(shop.windows_days) * (1 + PAST_WINDOWS))
    goals = spark.read.parquet(str(events)).where(
        (time >= earliest) & (time < before_ms) & F.col("event_type").isin(list(shop.target_types))
    )
    table = goals.groupBy("item_id").agg(*counts).toArrow()
    rows = _rows(table["item_id"], items)

    def by_row(name: str) -> NDArray[np.int64]:
        found = np.zeros(len(items), np.int64)
        found[rows[rows >= 0]] = table[name].to_numpy()[rows >= 0]
        return found

    return {days: (by_row(f"recent_{days}"), by_row(f"past_{days}")) for days in shop.windows_days}


def _by_user(table: pa.Table, users: Vocabulary, items: Vocabulary) -> UserRepurchases:
    user_rows, item_rows = _rows(table["user_id"], users), _rows(table["item_id"], items)
    order = np.lexsort((item_rows, user_rows))
    order = order[(user_rows[order] >= 0) & (item_rows[order] >= 0)]
    lengths = np.bincount(user_rows[order], minlength=len(users))
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    numbers = (table[name].to_numpy() for name in ("count", "first_day", "last_day"))
    columns = (column[order].astype(np.int32) for column in (item_rows, *numbers))
    return UserRepurchases(indptr, Repurchases(*columns))


def _rows(ids: pa.ChunkedArray, known: Vocabulary) -> NDArray[np.int32]:
    """The row of each id, -1 where there is none."""
    texts = pa.array(known, pa.string())
    found = pc.index_in(ids.cast(pa.string()), texts).fill_null(-1)
    rows: NDArray[np.int32] = found.to_numpy()
    return rows
