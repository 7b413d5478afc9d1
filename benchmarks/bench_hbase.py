"""Rows a second written to and read from HBase: `python -m benchmarks.bench_hbase --help`.

Creates a tenant `bench` in the HBase of HBASE_THRIFT and HBASE_THRIFT_ADMIN, writes made-up events
with all details and reads them back as training does. Every figure is the median of several runs.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from statistics import median
from uuid import uuid4

from pyspark.sql import SparkSession

from benchmarks.made_up_events import made_up_events
from recsys.clock import utc_now_ms
from recsys.core.domain import Event
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.interaction_scan import InteractionScan, TimeWindow
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from recsys.stores.hbase.table import KeyRange
from spark_jobs.hbase_source import HBaseInteractionsDataSource

TENANT = "bench"
PARALLEL = (1, 2, 4)
BATCH_ROWS = 5000
MAX_ROWS = 5_000_000
# Enough events for a figure where each costs a round trip.
SOME, FEW = 20_000, 1000


def rate(work: Callable[[], int], repeats: int) -> float:
    """Median rows a second of `work`, which returns how many it did."""
    rates = []
    for _ in range(repeats):
        started = time.perf_counter()
        rates.append(work() / (time.perf_counter() - started))
    return median(rates)


def write(pool: HBasePool, events: Sequence[Event], threads: int, *, ids_given: bool) -> int:
    """Write the way an import does."""
    put_many = partial(HBaseInteractionStore(pool).put_many, TENANT, ids_given=ids_given)
    with ThreadPoolExecutor(threads) as executor:
        return sum(executor.map(put_many, batched(events, BATCH_ROWS)))


def append(
    pool: HBasePool, events: Sequence[Event], threads: int, rows: int, *, ids_given: bool
) -> int:
    """Write the way the ingest service does, so many events a call."""
    store = HBaseInteractionStore(pool)

    def call(batch: Sequence[Event]) -> int:
        made_ids = () if ids_given else {event.event_id for event in batch}
        return len(store.append(TENANT, batch, utc_now_ms(), made_ids))

    with ThreadPoolExecutor(threads) as executor:
        return sum(executor.map(call, batched(events, rows)))


def batched(events: Sequence[Event], rows: int) -> list[list[Event]]:
    """Events under ids that nobody has used, in batches."""
    run = uuid4().hex
    fresh = [replace(event, event_id=f"{run} {event.event_id}") for event in events]
    return [fresh[start : start + rows] for start in range(0, len(fresh), rows)]


def read(pool: HBasePool, threads: int) -> int:
    scan = InteractionScan(pool, TENANT)

    def count(key_range: KeyRange) -> int:
        return sum(len(batch.user_ids) for batch in scan.read(key_range, TimeWindow()))

    with ThreadPoolExecutor(threads) as executor:
        return sum(executor.map(count, scan.ranges()))


def read_with_spark(spark: SparkSession, address: str) -> int:
    """Read through the data source into Parquet, as the nightly job does."""
    behaviour = spark.read.format("hbase_interactions").options(address=address, tenant=TENANT)
    with tempfile.TemporaryDirectory() as folder:
        behaviour.load().write.mode("overwrite").parquet(folder)
        return spark.read.parquet(folder).count()


def bench_spark(address: str, cores: int, repeats: int) -> None:
    spark = (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    try:
        spark.dataSource.register(HBaseInteractionsDataSource)
        read_with_spark(spark, address)  # starts the Python workers
        say(
            "Spark source to Parquet", cores, rate(lambda: read_with_spark(spark, address), repeats)
        )
    finally:
        spark.stop()


def say(what: str, parallel: int, rows_per_second: float) -> None:
    print(f"{what:<28} x{parallel}  {rows_per_second:>10,.0f} rows/s", flush=True)


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=200_000, help="events written (default: 200000)"
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs a figure (default: 3)")
    parser.add_argument("--thrift", default=os.environ.get("HBASE_THRIFT", "127.0.0.1:9090"))
    parser.add_argument("--admin", default=os.environ.get("HBASE_THRIFT_ADMIN", "127.0.0.1:9091"))
    arguments = parser.parse_args()
    if not 0 < arguments.rows <= MAX_ROWS:
        parser.error(f"--rows must be between 1 and {MAX_ROWS:,}")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    create_tables(arguments.admin, TENANT)
    pool = HBasePool(arguments.thrift, PoolSettings(call_timeout_seconds=60))
    events = list(made_up_events(arguments.rows))
    some, few = events[:SOME], events[:FEW]
    print(f"{arguments.rows:,} events, {machine()}")
    works: dict[str, Callable[[int], int]] = {
        "import": lambda threads: write(pool, events, threads, ids_given=False),
        "import, ids given": lambda threads: write(pool, some, threads, ids_given=True),
        "append, 1 a call": lambda threads: append(pool, few, threads, 1, ids_given=False),
        "append, 1 a call, ids given": lambda threads: append(
            pool, few, threads, 1, ids_given=True
        ),
        "append, 1000 a call": lambda threads: append(pool, some, threads, 1000, ids_given=False),
        "append, 1000 a call, ids given": lambda threads: append(
            pool, some, threads, 1000, ids_given=True
        ),
        "scan by key range": lambda threads: read(pool, threads),
    }
    for what, work in works.items():
        for threads in PARALLEL:
            say(what, threads, rate(partial(work, threads), arguments.repeats))
    for cores in PARALLEL:
        bench_spark(arguments.thrift, cores, arguments.repeats)


if __name__ == "__main__":
    main()
