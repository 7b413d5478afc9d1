"""CPU time of lists for all users, beside the matrix product alone that they cannot do without.

The product, by numpy, is given the number of users a block that suits it best. Both run in one
thread a core, in turns.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import scipy.sparse
from threadpoolctl import threadpool_limits

from benchmarks.made_up_model import item_model, user_model
from benchmarks.peers.exchange import Factors, load_factors, report
from benchmarks.peers.measure import peak_bytes
from recsys.core.model import ItemModel, UserModel
from recsys.training.neighbours import item_neighbours
from recsys.training.settings import ModelSettings
from recsys.training.top_n import top_n_lists

LIST_LENGTH = 100
CORES = len(os.sched_getaffinity(0))
BLOCKS = (128, 256, 512, 1024, 2048)
SAMPLE_USERS = 4096


def product(users: Factors, items: Factors, block: int) -> None:
    """All scores by factors, a block of users at a time, and nothing done with them."""
    starts = iter(range(0, len(users), block))
    transposed = np.ascontiguousarray(items.T)

    def work(starts: Iterator[int]) -> None:
        scores = np.empty((block, len(items)), np.float32)
        for start in starts:
            some = users[start : start + block]
            np.matmul(some, transposed, out=scores[: len(some)])

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(CORES) as executor:
        list(executor.map(work, [starts] * CORES))


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def best_block(users: Factors, items: Factors) -> int:
    """The number of users a block by which the product is fastest."""
    some = users[:SAMPLE_USERS]
    return min(BLOCKS, key=lambda block: cpu_seconds(lambda: product(some, items, block)))


def make_lists(items: ItemModel, users: UserModel, neighbour_weight: float) -> None:
    top_n_lists(items, users, np.arange(len(users.ids)), neighbour_weight, LIST_LENGTH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strengths", type=Path, required=True)
    parser.add_argument("--trained", type=Path, required=True, help=".npz of the factors")
    parser.add_argument("--rounds", type=int, required=True)
    arguments = parser.parse_args()
    strengths = scipy.sparse.load_npz(arguments.strengths)
    x, y = load_factors(arguments.trained)
    users, eligible = user_model(x, strengths), np.ones(len(y), np.bool_)
    near = item_neighbours(strengths, eligible, ModelSettings().neighbours)
    hybrid = item_model(y, near.items, near.scores)
    factors_only = item_model(y, hybrid.neighbours[:, :0], hybrid.neighbour_scores[:, :0])
    few = user_model(x[:1], strengths[:1])
    block = best_block(x, y)
    for items in (factors_only, hybrid):
        make_lists(items, few, 1.0)  # compiles
    costs: dict[str, list[float]] = {"product": [], "factors": [], "hybrid": []}
    for _ in range(arguments.rounds):
        costs["product"].append(cpu_seconds(lambda: product(x, y, block)))
        costs["factors"].append(cpu_seconds(lambda: make_lists(factors_only, users, 0.0)))
        costs["hybrid"].append(cpu_seconds(lambda: make_lists(hybrid, users, 1.0)))
    report(**costs, block=block, peak_bytes=peak_bytes())


if __name__ == "__main__":
    main()
