"""CPU time of training beside `implicit` and Spark MLlib: `python -m benchmarks.bench_train -h`.

Makes up a shop and trains on it for a few iterations, each trainer in a process of its own, on the
same cores, in turns. Against each peer, this project's ALS minimises what the peer minimises and
begins where the peer begins, so their losses can be compared. Only ratios mean something beyond
the machine: every figure is the median of several rounds.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy.sparse
from scipy.sparse import csr_matrix

from benchmarks.peers.exchange import load_factors, run, save_factors
from benchmarks.peers.java import java_home
from benchmarks.peers.objective import OBJECTIVES
from recsys.training.synthetic import SyntheticShop

OURS = "this project"
TITLES = {"implicit": "implicit, CG of 3 steps", "mllib": "Spark MLlib"}
RUN_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Bench:
    """One matrix, kept in a folder, and how it is trained on."""

    folder: Path
    strengths: csr_matrix
    iterations: int

    def prepare(self) -> None:
        scipy.sparse.save_npz(self.folder / "strengths.npz", self.strengths, compressed=False)

    def train(self, module: str, peer: str, factors: int, **options: object) -> dict[str, Any]:
        """Let a trainer train; `peer` says on what objective and from which start."""
        common = {
            "strengths": self.folder / "strengths.npz",
            "factors": factors,
            "iterations": self.iterations,
            "start": self._start(peer, factors),
            "trained": self.folder / f"{module}-{peer}-{factors}.npz",
        }
        figures = run(f"benchmarks.peers.{module}", common | options, RUN_TIMEOUT_SECONDS)
        say(f"k={factors} {module} like {peer}: {figures['cpu_seconds']:.2f} CPU s an iteration")
        return figures

    def write_start(self, factors: int) -> None:
        """Where `implicit` would begin by itself. MLlib takes no start, but tells its own."""
        random = np.random.default_rng(1)
        sides = [
            0.01 * random.random((rows, factors), dtype=np.float32) for rows in self.strengths.shape
        ]
        save_factors(self._start("implicit", factors), *sides)

    def loss(self, module: str, peer: str, factors: int) -> float:
        trained = load_factors(self.folder / f"{module}-{peer}-{factors}.npz")
        return OBJECTIVES[peer].loss(self.strengths, *trained)

    def _start(self, peer: str, factors: int) -> Path:
        return self.folder / f"start-{peer}-{factors}.npz"


Rounds = dict[str, list[dict[str, Any]]]


def race(bench: Bench, peer: str, factors: int, rounds: int) -> Rounds:
    """Figures of each round, by module: the peer's and this project's."""
    figures: Rounds = defaultdict(list)
    for _ in range(rounds):
        figures["peer"].append(bench.train(f"{peer}_als", peer, factors))
        figures["ours"].append(bench.train("recsys_als", peer, factors, like=peer))
    return figures


def table(bench: Bench, peer: str, factors: int, figures: Rounds) -> list[str]:
    """Two lines of the table of one k: the peer's and this project's."""
    ratios = [
        theirs["cpu_seconds"] / ours["cpu_seconds"]
        for theirs, ours in zip(figures["peer"], figures["ours"], strict=True)
    ]
    lines = []
    for title, key, module, ratio in (
        (TITLES[peer], "peer", f"{peer}_als", median(ratios)),
        (f"{OURS}, same objective and start", "ours", "recsys_als", 1.0),
    ):
        cpu = median(figure["cpu_seconds"] for figure in figures[key])
        peak = max(figure["peak_bytes"] for figure in figures[key])
        loss = bench.loss(module, peer, factors)
        lines.append(f"| {title} | {cpu:.3f} | {ratio:.1f} | {loss:,.0f} | {peak / 2**20:,.0f} |")
    return lines


def bench_training(bench: Bench, peers: Sequence[str], factors: int, rounds: int) -> None:
    bench.write_start(factors)
    lines = [
        f"| k={factors} | CPU s an iteration | times ours | loss after {bench.iterations} "
        "| peak MiB |",
        "|---|---|---|---|---|",
    ]
    notes = []
    for peer in peers:
        figures = race(bench, peer, factors, rounds)
        lines += table(bench, peer, factors, figures)
        if peer == "mllib":
            notes = mllib_notes(figures["peer"])
    print("\n".join(["", *lines, "", *notes]), flush=True)


def mllib_notes(rounds: Sequence[dict[str, Any]]) -> list[str]:
    last = rounds[-1]
    return [
        f"MLlib {last['version']} on Java {last['java']} computed with {last['blas']} and shuffled "
        f"{last['shuffled_bytes'] / 2**20:,.1f} MiB an iteration."
    ]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "implicit"))
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {model}, Python {platform.python_version()}, {versions}"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--interactions", type=int, default=5_000_000)
    parser.add_argument("--factors", default="64,128", help="numbers of factors (default: 64,128)")
    parser.add_argument("--iterations", type=int, default=3, help="a training (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="trainings each (default: 3)")
    parser.add_argument("--skip-mllib", action="store_true", help="needs no Java")
    arguments = parser.parse_args()
    if arguments.iterations < 2 or arguments.rounds < 1:
        parser.error("--iterations must be at least 2 and --rounds at least 1")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    peers = ["implicit"]
    if not arguments.skip_mllib:
        java_home()  # say at once, not after half of the work, that it will not do
        peers.append("mllib")
    shop = SyntheticShop(arguments.users, arguments.items, arguments.interactions)
    print(
        f"{shop.users:,} users, {shop.items:,} items, {shop.interactions:,} pairs; {machine()}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), shop.strengths(), arguments.iterations)
        bench.prepare()
        for factors in map(int, arguments.factors.split(",")):
            bench_training(bench, peers, factors, arguments.rounds)


if __name__ == "__main__":
    main()
