"""From events to user-item pairs, on Spark: weights, decay and exclusion."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from recsys.config.shop import Shop
from recsys.core.errors import NotFound
from recsys.core.event_types import details_that_count, with_weights
from recsys.core.shop_time import ShopTime
from recsys.core.strength import EventColumns, event_strengths, popularity_strengths
from recsys.training.interactions import InteractionMatrix, pairs_from_codes
from recsys.training.settings import ModelSettings
from spark_jobs.collected import collected

_WEIGHED = (
    "user_id string, item_id string, strength double, recent_strength double, excluded boolean,"
    " timestamp_ms long"
)


@dataclass(frozen=True)
class Coded:
    """A column of ids: each id once, and for every row its position in these."""

    ids: list[str]
    codes: NDArray[np.int32]


def prepare_pairs(
    spark: SparkSession,
    events: Path,
    shop: Shop,
    catalogue: Collection[str],
    *,
    before_ms: int,
    shop_time: ShopTime,
    settings: ModelSettings,
) -> InteractionMatrix:
    """Pairs of all events before a time.

    Args:
        settings: say what events count.

    Raises:
        NotFound: when quantities, prices or ratings count and were not read.
    """
    past = spark.read.parquet(str(events)).where(F.col("timestamp_ms") < before_ms)
    for name in details_that_count(shop.event_types.values()):
        if name not in past.columns:
            raise NotFound(f"{events} has no {name}, which counts: run `recsys nightly read` first")
    weighed = past.mapInArrow(_weigher(shop, shop_time, settings), _WEIGHED)
    summed = weighed.groupBy("user_id", "item_id").agg(
        # Rounding makes the sum independent of the order in which partitions arrive.
        F.round(F.sum("strength"), 6).alias("strength"),
        F.round(F.sum("recent_strength"), 6).alias("recent_strength"),
        F.max("excluded").alias("excluded"),
        F.max("timestamp_ms").alias("timestamp_ms"),
    )
    table = collected(summed, events)
    users, items = _coded(table["user_id"]), _coded(table["item_id"])
    return pairs_from_codes(
        user_ids=users.ids,
        item_ids=[*items.ids, *set(catalogue).difference(items.ids)],
        user_codes=users.codes,
        item_codes=items.codes,
        strengths=table["strength"].to_numpy(),
        recent_strengths=table["recent_strength"].to_numpy(),
        excluded=table["excluded"].to_numpy(),
        times_ms=table["timestamp_ms"].to_numpy(),
    )


def relevant_pairs(
    spark: SparkSession, events: Path, shop: Shop, *, from_ms: int
) -> tuple[Coded, Coded]:
    """Users and items of the distinct pairs of goal events from a time on."""
    future = spark.read.parquet(str(events)).where(F.col("timestamp_ms") >= from_ms)
    goals: DataFrame = future.where(F.col("event_type").isin(list(shop.target_types)))
    table = collected(goals.select("user_id", "item_id").distinct(), events)
    return _coded(table["user_id"]), _coded(table["item_id"])


def _coded(column: pa.ChunkedArray) -> Coded:
    """
    Args:
        column: texts, dictionary-encoded by chunks.
    """
    encoded = column.unify_dictionaries().combine_chunks()
    return Coded(encoded.dictionary.to_pylist(), encoded.indices.to_numpy())


def _weigher(
    shop: Shop, shop_time: ShopTime, settings: ModelSettings
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    # What neither counts nor excludes must not make an item part of anybody's history.
    counted_types = with_weights(shop.event_types, settings.event_weights)
    types = {n: kind for n, kind in counted_types.items() if kind.weight or kind.excludes}
    known, kinds = pa.array(list(types), pa.string()), tuple(types.values())
    counted = details_that_count(kinds)
    excludes = np.array([kind.excludes for kind in types.values()], np.bool_)
    half_life_days, popularity_half_life_days = settings.half_lives

    def weigh(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for whole in batches:
            batch = whole.filter(pc.is_in(whole["event_type"], known))
            events = EventColumns(
                event_types=kinds,
                types=pc.index_in(batch["event_type"], known).to_numpy(),
                quantities=_numbers(batch, "quantity") if "quantity" in counted else None,
                prices=_numbers(batch, "price") if "price" in counted else None,
                ratings=_numbers(batch, "rating") if "rating" in counted else None,
            )
            age_ms = shop_time.ages_ms(batch["timestamp_ms"].to_numpy())
            columns = {
                "user_id": batch["user_id"],
                "item_id": batch["item_id"],
                "strength": event_strengths(events, age_ms, half_life_days),
                "recent_strength": popularity_strengths(events, age_ms, popularity_half_life_days),
                "excluded": excludes[events.types],
                "timestamp_ms": batch["timestamp_ms"],
            }
            # A rating in the middle of its scale says nothing, not even that the item is known.
            says_something = (columns["strength"] != 0) | columns["excluded"]
            yield pa.RecordBatch.from_pydict(columns).filter(pa.array(says_something))

    return weigh


def _numbers(batch: pa.RecordBatch, name: str) -> NDArray[np.float64]:
    """A column of numbers, NaN where there is none."""
    numbers: NDArray[np.float64] = batch[name].to_numpy(zero_copy_only=False)
    return numbers
