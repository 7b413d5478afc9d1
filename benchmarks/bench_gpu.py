"""Seconds an iteration of training on a GPU: `python -m benchmarks.bench_gpu -h`.

Makes up a shop of the size of MovieLens 20M. What is published for `implicit` on a GPU on the real
one is 0.30 to 0.33 s an iteration, k from 64 to 256, with one lambda for all rows; both that task
and this project's, a lambda of each row's own, are measured. An iteration is one pass over users
and items; copying the data to the device comes before the first and is told apart.
"""

import argparse
import itertools
import time
from dataclasses import dataclass
from statistics import median

from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.training.als import AlsSettings, Device, train_als
from recsys.training.als.cuda_device import find_gpu, gpu_versions
from recsys.training.synthetic import SyntheticShop

PUBLISHED = "0.30-0.33"


@dataclass(frozen=True)
class Figures:
    """Seconds of one training; all of an iteration but the first, which compiles and copies."""

    before: float
    iteration: float


def measure(strengths: csr_matrix, factors: int, scaling: float, iterations: int) -> Figures:
    settings = AlsSettings(
        factors=factors, frequency_weight=scaling, iterations=iterations, device=Device.GPU
    )
    times = [time.perf_counter()]
    train_als(strengths, settings, lambda _: times.append(time.perf_counter()))
    laps = [later - earlier for earlier, later in itertools.pairwise(times)]
    typical = median(laps[1:])
    return Figures(before=laps[0] - typical, iteration=typical)


def bench(strengths: csr_matrix, factors: list[int], iterations: int) -> None:
    print(
        "| k | s an iteration | with one lambda | published | s before the first |\n"
        "|---|---|---|---|---|"
    )
    for k in factors:
        own, one = (measure(strengths, k, scaling, iterations) for scaling in (1.0, 0.0))
        print(
            f"| {k} | {own.iteration:.3f} | {one.iteration:.3f} | {PUBLISHED} | {own.before:.1f} |",
            flush=True,
        )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=138_493)
    parser.add_argument("--items", type=int, default=26_744)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--factors", default="64,128,256", help="(default: 64,128,256)")
    parser.add_argument("--iterations", type=int, default=8, help="a training (default: 8)")
    arguments = parser.parse_args()
    if arguments.iterations < 2:
        parser.error("--iterations must be at least 2")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    try:
        gpu = find_gpu()
    except ConfigurationError as reason:
        raise SystemExit(f"nothing to measure: {reason}") from reason
    shop = SyntheticShop(arguments.users, arguments.items, arguments.interactions)
    versions = ", ".join(f"{name} {version}" for name, version in gpu_versions(gpu).items())
    print(f"{shop.users:,} users, {shop.items:,} items, {shop.interactions:,} pairs; {versions}")
    bench(shop.strengths(), [int(k) for k in arguments.factors.split(",")], arguments.iterations)


if __name__ == "__main__":
    main()
