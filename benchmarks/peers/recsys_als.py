"""Cost of an iteration of this project's ALS, on a peer's objective and from a peer's start."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import scipy.sparse
from scipy.sparse import csr_matrix

from benchmarks.peers.exchange import (
    Factors,
    load_factors,
    report,
    save_factors,
    training_arguments,
)
from benchmarks.peers.measure import peak_bytes
from benchmarks.peers.objective import ALPHA, OBJECTIVES, Objective
from recsys.training.als.half_step import half_step
from recsys.training.threads import available_threads

Solve = Callable[[Factors, Factors], tuple[Factors, Factors]]


def solver(strengths: csr_matrix, objective: Objective) -> Solve:
    """(column factors, row factors) -> (better row factors, column factors)."""
    lambdas = objective.lambdas(strengths)
    return partial(half_step, strengths, lambdas, ALPHA, threads=available_threads())


def compile_kernel(factors: int, objective: Objective) -> None:
    start = np.ones((1, factors), np.float32)
    solver(csr_matrix(np.ones((1, 1), np.float32)), objective)(start, start)


def main() -> None:
    parser = training_arguments(__doc__)
    parser.add_argument("--like", choices=OBJECTIVES, required=True)
    arguments = parser.parse_args()
    objective = OBJECTIVES[arguments.like]
    strengths = scipy.sparse.load_npz(arguments.strengths)
    solve_users = solver(strengths, objective)
    solve_items = solver(strengths.T.tocsr(), objective)
    x, y = load_factors(arguments.start)
    compile_kernel(arguments.factors, objective)
    started = time.process_time()
    for _ in range(arguments.iterations):
        if objective.items_first:
            y, x = solve_items(x, y)
            x, y = solve_users(y, x)
        else:
            x, y = solve_users(y, x)
            y, x = solve_items(x, y)
    cost = (time.process_time() - started) / arguments.iterations
    peak = peak_bytes()
    save_factors(arguments.trained, x, y)
    report(cpu_seconds=cost, peak_bytes=peak)


if __name__ == "__main__":
    main()
