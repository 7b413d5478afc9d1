"""The read step: behaviour and the catalogue, frozen for all later steps of a run."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from recsys.core.errors import NoData
from recsys.core.ports import ItemStore
from recsys.core.shop_time import ActiveDay, ShopTime, shop_time
from recsys.core.times import MS_PER_DAY
from spark_jobs.nightly.run_folder import RunFolder, Snapshot, Window


def read_behaviour(
    spark: SparkSession,
    event_files: Sequence[Path],
    items: ItemStore,
    folder: RunFolder,
    tenant: str,
    window: Window,
    read_at_ms: int,
    details: Sequence[str] = (),
) -> Snapshot:
    """Put the window's events and the catalogue into the run's folder.

    Args:
        event_files: all events that were received before `read_at_ms`.
        details: which of quantity, price and rating to read too; the order id, by which baskets are
            known, always is.

    Raises:
        NoData: when the window holds no event.
    """
    folder.forget_snapshot()
    folder.save_catalogue(items, tenant)
    time = F.col("timestamp_ms")
    events = spark.read.parquet(*map(str, event_files)).where(
        (time >= window.start_ms) & (time < window.end_ms)
    )
    columns = ["user_id", "item_id", "event_type", "timestamp_ms", "order_id", *details]
    events.select(columns).write.mode("overwrite").parquet(str(folder.events))
    read = spark.read.parquet(str(folder.events))
    totals = read.agg(
        F.count("*").alias("events"),
        # A sum of row hashes does not depend on the order of rows.
        F.sum(F.xxhash64(*columns).cast("decimal(38,0)")).alias("digest"),
    )
    row = totals.first()
    if row is None or not row["events"]:
        raise NoData(
            f"tenant {tenant} has no events in the window: import some with"
            " `recsys import events`, or widen --start and --end"
        )
    parts = f"{row['events']}:{row['digest']}:".encode() + folder.catalogue_bytes()
    snapshot = Snapshot(
        tenant=tenant,
        window=window,
        read_at_ms=read_at_ms,
        shop_time=_shop_time(read),
        events=row["events"],
        fingerprint=hashlib.sha256(parts).hexdigest(),
    )
    folder.save_snapshot(snapshot)
    return snapshot


def _shop_time(events: DataFrame) -> ShopTime:
    days = events.groupBy(F.floor(F.col("timestamp_ms") / int(MS_PER_DAY)).alias("day")).agg(
        F.min("timestamp_ms").alias("first_ms"),
        F.max("timestamp_ms").alias("last_ms"),
        F.min("user_id").alias("lowest_user"),
        F.max("user_id").alias("highest_user"),
    )
    return shop_time(
        ActiveDay(
            row["first_ms"],
            row["last_ms"],
            row["lowest_user"] if row["lowest_user"] == row["highest_user"] else None,
        )
        for row in days.orderBy("day").collect()
    )
