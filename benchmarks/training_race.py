"""A peer and this project training in turns: on one matrix, one objective and from one start."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy.sparse
from scipy.sparse import csr_matrix

from benchmarks.peers.exchange import load_factors, run, save_factors
from benchmarks.peers.objective import OBJECTIVES

Figures = dict[str, Any]

TITLES = {"implicit": "implicit, CG of 3 steps", "mllib": "Spark MLlib"}
OURS = "recsys_als"
RUN_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Track:
    """One matrix, kept in a folder, and how many iterations it is trained on."""

    folder: Path
    strengths: csr_matrix
    iterations: int

    @property
    def strengths_file(self) -> Path:
        return self.folder / "strengths.npz"

    def lay(self, factors: int) -> None:
        """Write what trainers read.

        Among it where `implicit` would begin by itself. MLlib takes no start, but tells its own.
        """
        scipy.sparse.save_npz(self.strengths_file, self.strengths, compressed=False)
        random = np.random.default_rng(1)
        sides = [random.random((rows, factors), np.float32) for rows in self.strengths.shape]
        save_factors(self._start("implicit", factors), *(np.float32(0.01) * side for side in sides))

    def train(self, trainer: str, peer: str, factors: int, **options: object) -> Figures:
        """Let a trainer train on the objective of `peer` and from its start."""
        common = {
            "strengths": self.strengths_file,
            "factors": factors,
            "iterations": self.iterations,
            "start": self._start(peer, factors),
            "trained": self.trained(trainer, peer, factors),
        }
        figures = run(f"benchmarks.peers.{trainer}", common | options, RUN_TIMEOUT_SECONDS)
        cost = f"{figures['cpu_seconds']:.2f} CPU s an iteration"
        print(f"k={factors}, {trainer} against {peer}: {cost}", file=sys.stderr, flush=True)
        return figures

    def loss(self, trainer: str, peer: str, factors: int) -> float:
        users, items = load_factors(self.trained(trainer, peer, factors))
        return OBJECTIVES[peer].loss(self.strengths, users, items)

    def trained(self, trainer: str, peer: str, factors: int) -> Path:
        return self.folder / f"{trainer}-{peer}-{factors}.npz"

    def _start(self, peer: str, factors: int) -> Path:
        return self.folder / f"start-{peer}-{factors}.npz"


@dataclass(frozen=True)
class Race:
    """Costs of each round, of a peer and of this project."""

    peer: str
    factors: int
    theirs: Sequence[Figures]
    ours: Sequence[Figures]

    def rows(self, track: Track) -> list[str]:
        """Two rows of a table: the peer and this project."""
        pairs = zip(self.theirs, self.ours, strict=True)
        ratio = median(their["cpu_seconds"] / our["cpu_seconds"] for their, our in pairs)
        return [
            self._row(track, TITLES[self.peer], f"{self.peer}_als", self.theirs, f"{ratio:.1f}"),
            self._row(track, "this project, likewise", OURS, self.ours, "1"),
        ]

    def _row(
        self, track: Track, title: str, trainer: str, rounds: Sequence[Figures], ratio: str
    ) -> str:
        cpu = median(figures["cpu_seconds"] for figures in rounds)
        peak = max(figures["peak_bytes"] for figures in rounds) / 2**20
        loss = track.loss(trainer, self.peer, self.factors)
        return f"| {title} | {cpu:.3f} | {ratio} | {loss:,.0f} | {peak:,.0f} |"


def race(track: Track, peer: str, factors: int, rounds: int) -> Race:
    theirs, ours = [], []
    for _ in range(rounds):
        theirs.append(track.train(f"{peer}_als", peer, factors))
        ours.append(track.train(OURS, peer, factors, like=peer))
    return Race(peer, factors, theirs, ours)
