"""Training on two executors against one: `python -m benchmarks.bench_distributed -h`.

Makes up a shop and trains on it in turns, on one executor of one core and on two, with the same
two shards. An iteration's cost is told in wall seconds, which mean something only on a machine that
does nothing else, and along the critical path in CPU seconds: those of the driver and of the
busiest executor. Then what an iteration moves, beside MLlib on the same data, and the memory that
was used beside that of the formula.
"""

import argparse
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy.sparse
from scipy.sparse import csr_matrix

from benchmarks.peers.exchange import load_factors, run
from recsys.training.als import AlsSettings, Device, train_als
from recsys.training.als.half_step import row_lambdas
from recsys.training.als.kernel import CG_STEPS
from recsys.training.als.loss import als_loss
from recsys.training.synthetic import SyntheticShop
from spark_jobs.distributed.memory import Workload, data_parallel_bytes, model_parallel_bytes

RUN_TIMEOUT_SECONDS = 1800.0
SHARDS = 2
FORMULAS = {"data-parallel": data_parallel_bytes, "model-parallel": model_parallel_bytes}
_MB = 1e6

Figures = dict[str, Any]


def main() -> None:
    arguments = parse_arguments()
    shop = SyntheticShop(arguments.users, arguments.items, arguments.pairs)
    work = Workload(arguments.users, arguments.items, arguments.pairs, arguments.factors)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        strengths = shop.strengths()
        scipy.sparse.save_npz(folder / "strengths.npz", strengths, compressed=False)
        say(f"{work}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for strategy in arguments.strategies:
            rounds = [
                [train(folder, strategy, executors, arguments) for executors in (1, 2)]
                for _ in range(arguments.rounds)
            ]
            tell_speed(strategy, rounds)
            tell_memory(strategy, rounds[-1][1], work)
            tell_bytes(strategy, rounds[-1][1], work)
            tell_loss(strategy, folder, strengths, rounds[-1][1], arguments)
        if not arguments.skip_mllib:
            tell_mllib(folder, arguments)


def train(folder: Path, strategy: str, executors: int, arguments: argparse.Namespace) -> Figures:
    options = common(folder, arguments) | {
        "strategy": strategy,
        "executors": executors,
        "shards": SHARDS,
    }
    return run("benchmarks.peers.on_spark", options, RUN_TIMEOUT_SECONDS)


def common(folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    return {
        "strengths": folder / "strengths.npz",
        "factors": arguments.factors,
        "iterations": arguments.iterations,
        "start": folder / "start.npz",
        "trained": folder / "trained.npz",
    }


def critical_seconds(figures: Figures) -> float:
    """CPU seconds that nothing can overlap: the driver's, and those of the busiest executor."""
    return float(figures["driver_cpu_seconds"] + max(figures["executor_cpu_seconds"]))


def tell_speed(strategy: str, rounds: list[list[Figures]]) -> None:
    one, two = ([figures[which] for figures in rounds] for which in (0, 1))
    for name, found in (("one executor", one), ("two executors", two)):
        wall = median(figures["wall_seconds"] for figures in found)
        driver = median(figures["driver_cpu_seconds"] for figures in found)
        busiest = median(max(figures["executor_cpu_seconds"]) for figures in found)
        python = median(max(figures["worker_cpu_seconds"]) for figures in found)
        say(
            f"{strategy}, {name}: {wall:.2f} s an iteration; CPU: driver {driver:.2f} s, busiest "
            f"executor {busiest:.2f} s, of which Python {python:.2f} s"
        )
    wall = median(figures[0]["wall_seconds"] / figures[1]["wall_seconds"] for figures in rounds)
    path = median(critical_seconds(f[0]) / critical_seconds(f[1]) for f in rounds)
    say(f"{strategy}: {wall:.2f} times as fast by the clock, {path:.2f} by the critical path")


def tell_memory(strategy: str, figures: Figures, work: Workload) -> None:
    formula = FORMULAS[strategy](work, SHARDS)
    peak = figures["worker_peak_bytes"]
    say(
        f"{strategy}: an executor's Python took {peak / _MB:.0f} MB, the formula allows "
        f"{formula / _MB:.0f} MB"
    )


def tell_bytes(strategy: str, figures: Figures, work: Workload) -> None:
    users, items = (4 * work.factors * rows / _MB for rows in (work.users, work.items))
    if strategy == "data-parallel":
        sent = f"{(1 + CG_STEPS) * SHARDS * items:.0f} MB broadcast"
        kept = f"{users:.0f} MB of user factors to files that their own shard reads"
    else:
        read = (1 + CG_STEPS) * SHARDS * (users + items)
        sent, kept = f"{read:.0f} MB of factors read", f"{users + items:.0f} MB of them written"
    say(
        f"{strategy}, an iteration moves: {figures['shuffled_bytes'] / _MB:.0f} MB shuffled, "
        f"{sent}, {figures['result_bytes'] / _MB:.0f} MB of results; {kept}"
    )


def tell_loss(
    strategy: str,
    folder: Path,
    strengths: csr_matrix,
    figures: Figures,
    arguments: argparse.Namespace,
) -> None:
    settings = AlsSettings(
        factors=arguments.factors, iterations=arguments.iterations, device=Device.CPU
    )
    alpha = figures["alpha"]
    lambdas = [row_lambdas(side, alpha, settings) for side in (strengths, strengths.T.tocsr())]
    single = train_als(strengths, settings)
    models = load_factors(folder / "trained.npz"), (single.user_factors, single.item_factors)
    found, expected = (als_loss(strengths, alpha, *factors, *lambdas) for factors in models)
    say(f"{strategy}: the loss is {np.abs(found / expected - 1):.1e} from that of one process")


def tell_mllib(folder: Path, arguments: argparse.Namespace) -> None:
    for blocks in (SHARDS, 10):
        options = common(folder, arguments) | {
            "blocks": blocks,
            "memory": "2g",
            "recommend-users": 1,
        }
        figures = run("benchmarks.peers.mllib_als", options, RUN_TIMEOUT_SECONDS)
        say(
            f"MLlib of {blocks} blocks, an iteration moves: "
            f"{figures['shuffled_bytes'] / _MB:.0f} MB shuffled"
        )


def say(line: str) -> None:
    print(line, flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=80_000_000)
    parser.add_argument("--factors", type=int, default=128)
    parser.add_argument("--iterations", type=int, default=16, help="the first 8 are not measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--strategies", nargs="+", choices=FORMULAS, default=list(FORMULAS))
    parser.add_argument("--skip-mllib", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
