"""A night's read of all behaviour beside that of one more day: `make bench-night`, or with -h.

Fills a tenant of its own in the HBase of HBASE_THRIFT and HBASE_THRIFT_ADMIN with a made-up
shop, reads it as the first night does, adds a day and reads again, once from the snapshot and once
in full, each time in a process of its own. Both must have the same events. HBase's own time is not
in the CPU seconds, and Spark's start not in any of them.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from random import Random

from benchmarks.flush import flush
from benchmarks.machine import machine
from benchmarks.peers.exchange import run
from recsys.clock import utc_now_ms
from recsys.core.domain import Event
from recsys.core.times import MS_PER_DAY
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.event_writer import event_row
from recsys.stores.hbase.layout import INTERACTIONS, table_name
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from recsys.stores.hbase.table import Table

BATCH_ROWS = 5000
READ_TIMEOUT_SECONDS = 3600.0
_YEAR_DAYS = 365
_DAY_MS = int(MS_PER_DAY)


def made_up_day(random: Random, users: int, items: int, events: int, at_ms: int) -> Iterator[Event]:
    """Events of the day before a moment; one in ten is a purchase, with its details."""
    for _ in range(events):
        is_purchase = random.random() < 0.1
        yield Event(
            event_id=f"{random.getrandbits(128):032x}",
            user_id=f"user-{random.randrange(users)}",
            item_id=f"item-{int(items * random.random() ** 2)}",
            event_type="purchase" if is_purchase else "view",
            timestamp_ms=at_ms - random.randrange(_DAY_MS),
            quantity=float(random.randrange(1, 10)) if is_purchase else None,
            price=round(random.uniform(1, 50), 2) if is_purchase else None,
            order_id=f"{random.getrandbits(40):010x}" if is_purchase else None,
        )


def receive(table: Table, events: Iterator[Event], received_ms: int) -> None:
    """Write events as the ingest service does, without asking whether their ids are known."""
    while batch := list(islice(events, BATCH_ROWS)):
        table.put(map(event_row, batch), written_ms=received_ms, patience_seconds=60)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000, help="of the year before")
    parser.add_argument("--day", type=float, default=0.003, help="events of one more day, a share")
    parser.add_argument("--thrift", default=os.environ.get("HBASE_THRIFT", "127.0.0.1:9090"))
    parser.add_argument("--thrift2", default=os.environ.get("HBASE_THRIFT2", "127.0.0.1:9092"))
    parser.add_argument("--admin", default=os.environ.get("HBASE_THRIFT_ADMIN", "127.0.0.1:9091"))
    arguments = parser.parse_args()
    if min(arguments.users, arguments.items, arguments.events) < 1 or not 0 < arguments.day <= 1:
        parser.error("--users, --items and --events must be at least 1, --day a share up to 1")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    tenant, random = f"night{arguments.events}", Random(7)
    create_tables(arguments.admin, tenant)
    pool = HBasePool(arguments.thrift, PoolSettings(call_timeout_seconds=60))
    table = Table(pool, table_name(tenant, INTERACTIONS))
    yesterday_ms = utc_now_ms() - _DAY_MS
    shop = (random, arguments.users, arguments.items)
    for day in range(_YEAR_DAYS):
        at_ms = yesterday_ms - day * _DAY_MS
        receive(table, made_up_day(*shop, arguments.events // _YEAR_DAYS, at_ms), at_ms - 1)
        if day % 30 == 0:
            print(f"{day} of {_YEAR_DAYS} days written", file=sys.stderr, flush=True)
    flush(arguments.admin, tenant)
    print(f"{machine(('pyspark', 'pyarrow', 'happybase', 'thriftpy2'))}\n")
    print(
        "| read | events | rows sent by HBase | wall s | CPU s | peak MiB of Python | MB of files |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)

    def read(name: str, folder: str, before_ms: int) -> str:
        options = {
            "tenant": tenant,
            "thrift": arguments.thrift,
            "thrift2": arguments.thrift2,
            "folder": folder,
            "before": str(before_ms),
        }
        found = run("benchmarks.night_read", options, READ_TIMEOUT_SECONDS)["read"]
        print(
            f"| {name} | {found['events']:,} | {found['rows_read']:,} | {found['wall_seconds']:.1f}"
            f" | {found['cpu_seconds']:.1f} | {found['python_peak_bytes'] / 2**20:,.0f}"
            f" | {found['snapshot_bytes'] / 1e6:,.1f} |",
            flush=True,
        )
        return str(found["fingerprint"])

    with tempfile.TemporaryDirectory() as folder:
        read("the first night, in full", f"{folder}/nights", yesterday_ms)
        now_ms = yesterday_ms + _DAY_MS
        receive(
            table, made_up_day(*shop, int(arguments.events * arguments.day), now_ms), now_ms - 1
        )
        flush(arguments.admin, tenant)
        merged = read("one more day, from the snapshot", f"{folder}/nights", now_ms)
        full = read("the same, in full", f"{folder}/full", now_ms)
    if merged != full:
        raise SystemExit("the snapshot has other events than a full read")


if __name__ == "__main__":
    main()
