"""The read step of a night, in a process of its own: time, memory and bytes."""

import argparse
from pathlib import Path

from benchmarks.peers.exchange import report
from benchmarks.read_stages import measured
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from spark_jobs.event_snapshot.source import HBaseAddresses
from spark_jobs.event_snapshot.update import SnapshotRequest, update_snapshot
from spark_jobs.nightly.read_behaviour import read_behaviour
from spark_jobs.nightly.run_folder import RunFolder, Window
from spark_jobs.session import spark_session
from spark_jobs.settings import SparkSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--tenant", "--thrift", "--thrift2"):
        parser.add_argument(name, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--before", type=int, required=True)
    options = parser.parse_args()
    folder = RunFolder(options.folder)
    addresses = HBaseAddresses(options.thrift, options.thrift2)
    request = SnapshotRequest(options.tenant, addresses, options.before, full=False)
    items = HBaseItemStore(HBasePool(options.thrift))
    with spark_session(SparkSettings(), "bench_night") as spark:
        spark.range(1).count()
        with measured() as figures:
            update = update_snapshot(spark, folder.event_snapshot, request)
            snapshot = read_behaviour(
                spark,
                folder.event_snapshot.paths(update.snapshot),
                items,
                folder,
                options.tenant,
                Window(0, options.before),
                options.before,
            )
        found = {
            "events": snapshot.events,
            "rows_read": update.rows_read,
            "snapshot_bytes": sum(part.size_bytes for part in update.snapshot.parts),
            "fingerprint": snapshot.fingerprint,
        }
        report(read=figures | found)


if __name__ == "__main__":
    main()
