"""The nightly run's first two stages, in a process of their own: time and memory."""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.peers.exchange import report
from benchmarks.peers.measure import peak_bytes, process_tree
from recsys.config.shop import load_shop
from recsys.core.times import MAX_TIMESTAMP_MS
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from recsys.training.settings import ModelSettings
from spark_jobs.event_snapshot.source import HBaseAddresses
from spark_jobs.event_snapshot.update import SnapshotRequest, update_snapshot
from spark_jobs.nightly.prepare_pairs import prepare_pairs
from spark_jobs.nightly.read_behaviour import read_behaviour
from spark_jobs.nightly.run_folder import RunFolder, Window
from spark_jobs.session import spark_session
from spark_jobs.settings import SparkSettings

Figures = dict[str, float]


@contextmanager
def measured() -> Iterator[Figures]:
    """Measure the block, in this process and all its children."""
    figures: Figures = {}
    cpu, started = _cpu_seconds(), time.perf_counter()
    yield figures
    figures["wall_seconds"] = time.perf_counter() - started
    figures["cpu_seconds"] = _cpu_seconds() - cpu
    peaks = {process.name(): 0 for process in process_tree(psutil.Process())}
    for process in process_tree(psutil.Process()):
        peaks[process.name()] += peak_bytes(process.pid)
    figures["jvm_peak_bytes"] = peaks.pop("java")
    figures["python_peak_bytes"] = sum(peaks.values())


def _cpu_seconds() -> float:
    """Those of processes that ended included."""
    return float(sum(sum(process.cpu_times()[:4]) for process in process_tree(psutil.Process())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--thrift", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    folder, end = RunFolder(options.folder), MAX_TIMESTAMP_MS
    items = HBaseItemStore(HBasePool(options.thrift))
    with spark_session(SparkSettings(), "bench_read") as spark:
        spark.range(1).count()
        with measured() as read:
            addresses = HBaseAddresses(options.thrift, thrift2=None)
            request = SnapshotRequest(options.tenant, addresses, end, full=True)
            update = update_snapshot(spark, folder.event_snapshot, request)
            files = folder.event_snapshot.paths(update.snapshot)
            found = read_behaviour(
                *(spark, files, items, folder, options.tenant, Window(0, end), end),
            )
        with measured() as prepared:
            shop_time = found.shop_time
            prepare_pairs(
                *(spark, folder.events, load_shop(), ()),
                before_ms=end,
                shop_time=shop_time,
                settings=ModelSettings(),
            )
        report(read=read, prepare=prepared)


if __name__ == "__main__":
    main()
