"""The lines of orders among the events of a snapshot, on Spark: what stood in one basket."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from recsys.config.shop import Shop
from recsys.core.errors import NotFound
from recsys.core.vocabulary import Vocabulary
from recsys.training.baskets import Purchases

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
    table = lines.mapInArrow(_coder(items), _CODED).toArrow()
    return Purchases(table["item"].to_numpy(), table["basket"].to_numpy())


def _coder(items: Vocabulary) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    ids = pa.array(items, pa.string())

    def code(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = pc.index_in(batch["item_id"], ids)
            coded = pa.RecordBatch.from_pydict({"item": rows, "basket": batch["basket"]})
            yield coded.filter(rows.is_valid())

    return code
