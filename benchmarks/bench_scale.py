"""Time and memory of each nightly stage as a shop grows: `python -m benchmarks.bench_scale -h`.

Makes up shops of several sizes and runs each stage of the nightly work on each, in a process of its
own, so that its peak memory is its own. Prints a table. Times depend on the machine; what matters
is how they grow. Publishing goes to the Redis of REDIS_URL, or to one of its own on loopback that
keeps nothing on disk.
"""

import argparse
import os
import sys
import tempfile
from contextlib import nullcontext

from benchmarks.machine import machine
from benchmarks.own_redis import own_redis
from benchmarks.peers.exchange import run
from benchmarks.scale_stages import STAGES
from recsys.training.synthetic import SyntheticShop

SHOPS = (
    SyntheticShop(10_000, 5_000, 500_000),
    SyntheticShop(100_000, 50_000, 5_000_000),
    SyntheticShop(300_000, 70_000, 25_000_000),
)
LARGEST = SyntheticShop(1_000_000, 100_000, 100_000_000)
STAGE_TIMEOUT_SECONDS = 7200.0


def bench(shop: SyntheticShop, factors: int, redis_url: str) -> None:
    """Print the rows of one shop."""
    size = f"{shop.users:,} x {shop.items:,}, {shop.interactions / 1e6:g}M pairs"
    with tempfile.TemporaryDirectory() as folder:
        options = {
            **{name: getattr(shop, name) for name in ("users", "items", "interactions")},
            "factors": factors,
            "folder": folder,
            "redis": redis_url,
        }
        for stage in STAGES:
            print(f"{size}: {stage}", file=sys.stderr, flush=True)
            figures = run(
                "benchmarks.scale_stages", options | {"stage": stage}, STAGE_TIMEOUT_SECONDS
            )
            print(
                f"| {size} | {stage} | {figures['cpu_seconds']:,.2f} | "
                f"{figures['wall_seconds']:,.2f} | {figures['peak_bytes'] / 2**20:,.0f} |",
                flush=True,
            )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factors", type=int, default=64, help="(default: 64)")
    parser.add_argument("--sizes", type=int, default=len(SHOPS), help="the first so many of 3")
    parser.add_argument("--full", action="store_true", help="1M users with 100M pairs, too")
    parser.add_argument("--redis", default=os.environ.get("REDIS_URL"), help="address of a Redis")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    shops = [*SHOPS[: arguments.sizes], *([LARGEST] if arguments.full else [])]
    print(f"{machine()}, {arguments.factors} factors\n")
    print("| users x items | stage | CPU s | wall s | peak MiB |")
    print("|---|---|---|---|---|", flush=True)
    with nullcontext(arguments.redis) if arguments.redis else own_redis() as url:
        for shop in shops:
            bench(shop, arguments.factors, url)


if __name__ == "__main__":
    main()
