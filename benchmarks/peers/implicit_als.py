"""Cost of an iteration of implicit's ALS: its default solver, conjugate gradients of 3 steps.

Its objective: sum over all pairs of c (p - x.y)^2, c = 1 + alpha r, plus one lambda for all rows.
"""

import time
from importlib.metadata import version

import scipy.sparse
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from benchmarks.peers.exchange import load_factors, report, save_factors, training_arguments
from benchmarks.peers.measure import peak_bytes
from benchmarks.peers.objective import ALPHA, OBJECTIVES
from recsys.core.fold_in import confidence


def main() -> None:
    arguments = training_arguments(__doc__).parse_args()
    confidences = scipy.sparse.load_npz(arguments.strengths)
    confidences.data = confidence(confidences.data, ALPHA)
    model = AlternatingLeastSquares(
        factors=arguments.factors,
        regularization=OBJECTIVES["implicit"].regularization,
        alpha=1.0,  # the values are confidences already
        iterations=arguments.iterations,
    )
    model.user_factors, model.item_factors = load_factors(arguments.start)
    times = []
    # It runs its own threads and calls BLAS in each for single vectors.
    with threadpool_limits(1, "blas"):
        model.fit(
            confidences,
            show_progress=False,
            callback=lambda *_: times.append(time.process_time()),
        )
    peak = peak_bytes()
    save_factors(arguments.trained, model.user_factors, model.item_factors)
    # The first iteration is left out, since its beginning cannot be told from what comes before.
    cost = (times[-1] - times[0]) / (arguments.iterations - 1)
    report(cpu_seconds=cost, peak_bytes=peak, version=version("implicit"))


if __name__ == "__main__":
    main()
