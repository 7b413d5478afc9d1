"""Time of reading as behaviour grows: `python -m benchmarks.bench_read -h`, or `make bench-read`.

Fills a tenant of its own in the HBase of HBASE_THRIFT and HBASE_THRIFT_ADMIN, then reads it as the
nightly run does, in a process of its own: HBase to Parquet by Spark, and the pairs made of that.
HBase's own time is not in the CPU seconds, Spark's start not in any of them.
"""

import argparse
import os
import sys
import tempfile
import time
from itertools import islice

from benchmarks.machine import machine
from benchmarks.made_up_events import made_up_events
from benchmarks.peers.exchange import run
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool, PoolSettings

ROWS = (200_000, 1_000_000, 5_000_000)
MAX_ROWS = 20_000_000
BATCH_ROWS = 5000
READ_TIMEOUT_SECONDS = 1800.0


def fill(store: HBaseInteractionStore, tenant: str, rows: int) -> None:
    """Write the events, telling from time to time how far it is."""
    events, written, told = made_up_events(rows), 0, time.monotonic()
    while batch := list(islice(events, BATCH_ROWS)):
        written += store.put_many(tenant, batch, ids_given=False)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"{tenant}: {written:,} of {rows:,} events", file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="events, a size each")
    parser.add_argument("--thrift", default=os.environ.get("HBASE_THRIFT", "127.0.0.1:9090"))
    parser.add_argument("--admin", default=os.environ.get("HBASE_THRIFT_ADMIN", "127.0.0.1:9091"))
    arguments = parser.parse_args()
    if not all(0 < rows <= MAX_ROWS for rows in arguments.rows):
        parser.error(f"--rows must be between 1 and {MAX_ROWS:,}")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    store = HBaseInteractionStore(
        HBasePool(arguments.thrift, PoolSettings(call_timeout_seconds=60))
    )
    print(f"{machine()}\n")
    print("| events | stage | CPU s | wall s | peak MiB of Python | of the JVM |")
    print("|---|---|---|---|---|---|", flush=True)
    for rows in arguments.rows:
        tenant = f"bench{rows}"
        create_tables(arguments.admin, tenant)
        fill(store, tenant, rows)
        with tempfile.TemporaryDirectory() as folder:
            options = {"tenant": tenant, "thrift": arguments.thrift, "folder": folder}
            figures = run("benchmarks.read_stages", options, READ_TIMEOUT_SECONDS)
        for stage, found in figures.items():
            python, jvm = (found[f"{kind}_peak_bytes"] / 2**20 for kind in ("python", "jvm"))
            print(
                f"| {rows:,} | {stage} | {found['cpu_seconds']:,.1f} | {found['wall_seconds']:,.1f}"
                f" | {python:,.0f} | {jvm:,.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
