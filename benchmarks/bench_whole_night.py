"""From files to the pointer: `make bench-whole-night`, or with -h.

Makes up a shop, imports its catalogue and a year of events by `recsys import`, runs
`recsys nightly`, imports one more day and runs it again. Each command is run as an operator runs it
and watched from outside: wall and CPU seconds by step, the most memory at a time (what processes
share is counted once), and the longest time in which nothing was said. Needs the servers of the
local stack that HBASE_THRIFT, HBASE_THRIFT2, HBASE_THRIFT_ADMIN and REDIS_URL name.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.made_up_log import ShopFiles, write_shop
from benchmarks.watched_command import DRIVER, JVM, WORKERS, StepFigures, stack_servers, watched
from recsys.clock import utc_now_ms
from recsys.stores.hbase.address import thrift_address
from recsys.stores.hbase.admin import create_tables
from recsys.stores.redis.connect import connect
from recsys.stores.run_files import run_folder

_KINDS = (DRIVER, WORKERS, JVM)
_HOUR_MS = 3_600_000


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=30_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    arguments = parser.parse_args()
    if min(vars(arguments).values()) < 1:
        parser.error("--users, --items and --events must be at least 1")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    # Of its own, whatever earlier runs have left.
    tenant = f"whole{utc_now_ms() // 1000}"
    servers = stack_servers(thrift_address(os.environ["HBASE_THRIFT"]).port)
    create_tables(os.environ["HBASE_THRIFT_ADMIN"], tenant)
    with tempfile.TemporaryDirectory() as folder:
        sizes = (arguments.users, arguments.items, arguments.events)
        files = write_shop(Path(folder), *sizes, end_ms=utc_now_ms() - _HOUR_MS)
        print(f"{machine(('pyspark', 'numpy', 'numba'))}\n")
        print(f"{files.year_events:,} events of a year, {files.day_events:,} of one more day\n")
        _print_row(
            "",
            "wall s",
            *(f"CPU s, {kind}" for kind in (*_KINDS, "servers")),
            *(f"MiB, {kind}" for kind in _KINDS),
            "longest silence, s",
        )
        _print_row(*["---"] * 10)
        for command in _commands(files):
            for step in watched(["recsys", *command, "--tenant", tenant], servers):
                _print_step(" ".join(command[:2]), step)
    _print_sizes(tenant)


def _commands(files: ShopFiles) -> Sequence[Sequence[str]]:
    return (
        ("import", "items", str(files.items)),
        ("import", "events", str(files.year)),
        ("nightly",),
        ("import", "events", str(files.day)),
        ("nightly",),
    )


def _print_step(command: str, step: StepFigures) -> None:
    cpu = dict(step.cpu_seconds)
    of_night = [cpu.pop(kind, 0.0) for kind in _KINDS]
    _print_row(
        f"{command} {step.name}".strip(),
        f"{step.wall_seconds:.0f}",
        *(f"{seconds:.0f}" for seconds in (*of_night, sum(cpu.values()))),
        *(f"{step.peak_bytes.get(kind, 0) / 2**20:,.0f}" for kind in _KINDS),
        f"{step.silent_seconds:.0f}",
    )


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _print_sizes(tenant: str) -> None:
    store = Path(os.environ["RECSYS_MODEL_STORE"])
    print()
    for folder in (store / tenant, run_folder(store, tenant)):
        for path in sorted(folder.iterdir()):
            print(f"{path.relative_to(store)}: {_bytes(path) / 1e6:,.1f} MB")
    with connect(os.environ["REDIS_URL"]) as redis:
        print(f"Redis: {redis.info('memory')['used_memory'] / 1e6:,.1f} MB")


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    main()
