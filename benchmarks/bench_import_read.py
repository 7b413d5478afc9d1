"""Speed of reading files before HBase: `python -m benchmarks.bench_import_read -h`.

Writes a made-up log of events as CSV, plain and with every field quoted, and as Parquet. Then reads
and checks each as `recsys import events` does, up to columns; takes it in, up to a store of event
objects that keeps nothing; and reads it as `recsys evaluate` does. CPU seconds are of this process
with all its threads.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.machine import machine
from recsys.config.shop import Shop, load_shop
from recsys.core.domain import Event
from recsys.evaluation.files.event_file import read_event_files
from recsys.importing.bulk_writer import Tally
from recsys.importing.importer import Importer
from recsys.importing.plan import Reading, plan_events

ROWS = 1_000_000
FIRST_MS, LAST_MS = 1_600_000_000_000, 1_700_000_000_000
TYPES = ("view", "add_to_cart", "purchase")


class _NoStore:
    """Keep nothing: HBase's time is not measured here."""

    def put_many(self, _tenant: str, events: Iterable[Event], *, ids_given: bool) -> int:  # noqa: ARG002
        return sum(1 for _ in events)


class _NoLedger:
    def find(self, _tenant: str, _digest: str) -> dict[str, Any] | None:
        return None

    def record(self, _tenant: str, _digest: str, _entry: Mapping[str, Any]) -> None:
        return None

    def forget(self, _tenant: str, _digest: str) -> bool:
        return False


def made_up_table(rows: int) -> pa.Table:
    """A log without ids of events: (rows,) of users, items, types, milliseconds and prices."""
    random = np.random.default_rng(0)
    return pa.table(
        {
            "user_id": [f"u{n}" for n in random.integers(0, max(rows // 20, 1), rows)],
            "item_id": [f"i{n}" for n in random.integers(0, max(rows // 50, 1), rows)],
            "event_type": random.choice(TYPES, rows, p=(0.8, 0.1, 0.1)),
            "timestamp": random.integers(FIRST_MS, LAST_MS, rows),
            "price": random.integers(100, 10_000, rows) / 100,
        }
    )


def write_files(folder: Path, rows: int) -> list[Path]:
    table = made_up_table(rows)
    paths = [folder / name for name in ("plain.csv", "quoted.csv", "events.parquet")]
    pa_csv.write_csv(table, paths[0], pa_csv.WriteOptions(quoting_style="none"))
    texts = table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    pa_csv.write_csv(texts, paths[1], pa_csv.WriteOptions(quoting_style="all_valid"))
    pq.write_table(table, paths[2])
    return paths


def read(path: Path, shop: Shop) -> None:
    plan = plan_events(Reading(path), "bench", _NoStore(), shop.event_types, LAST_MS)
    for batch in plan.source.batches(plan.reader.columns.values()):
        plan.reader.read(batch)


def take_in(path: Path, shop: Shop) -> None:
    plan = plan_events(Reading(path), "bench", _NoStore(), shop.event_types, LAST_MS)
    Importer("bench", _NoLedger(), path.parent).run(plan, Tally(), lambda _: None)


def evaluate(path: Path, shop: Shop) -> None:
    read_event_files([path], shop, LAST_MS)


def measured(work: Callable[[Path, Shop], None], path: Path, shop: Shop) -> tuple[float, float]:
    started, cpu = time.perf_counter(), time.process_time()
    work(path, shop)
    return time.perf_counter() - started, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="events a file")
    rows, shop = parser.parse_args().rows, load_shop()
    print(f"{machine(['numpy', 'pyarrow'])}\n")
    print("| file | as | wall s | CPU s | rows/s | rows a CPU second |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for path in write_files(Path(folder), rows):
            for work in (read, take_in, evaluate):
                wall, cpu = measured(work, path, shop)
                figures = f"{wall:.2f} | {cpu:.2f} | {rows / wall:,.0f} | {rows / cpu:,.0f}"
                print(f"| {path.name} | {work.__name__} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
