"""Cost of an iteration of Spark MLlib's ALS, and of recommending with it.

Its objective, as in Spark's ALS.scala (computeFactors): sum over all pairs of c (p - x.y)^2 with
c = 1 + alpha r, plus regParam * n_u |x_u|^2 and regParam * n_i |y_i|^2, where n counts a row's
pairs. It solves items before users, exactly (Cholesky), in double precision.

Everything is measured in one warm JVM, all threads of it, garbage collector included. An iteration
is the difference between a fit of several and one of none, so shuffling and indexing the matrix, as
every fit does first, is not counted. The fit of none also tells where MLlib starts from.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse
from pyspark.ml.recommendation import ALS, ALSModel
from pyspark.sql import DataFrame, SparkSession

from benchmarks.peers.event_log import shuffled_bytes
from benchmarks.peers.exchange import Factors, report, save_factors, training_arguments
from benchmarks.peers.measure import Laps, peak_bytes
from benchmarks.peers.objective import ALPHA, OBJECTIVES
from benchmarks.peers.spark import CORES, Jvm, start_spark

LIST_LENGTH = 100
WARM_UP_SHARE = 0.1
SET_UP, TRAINING = "set-up", "set-up and iterations"


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spark = start_spark(arguments.memory, folder)
        try:
            figures = measure(spark, folder, arguments)
            log = folder / spark.sparkContext.applicationId
        finally:
            spark.stop()
        shuffled = shuffled_bytes(log)
    in_iterations = shuffled[TRAINING] - shuffled[SET_UP]
    report(**figures, shuffled_bytes=in_iterations / arguments.iterations)


def measure(spark: SparkSession, folder: Path, arguments: argparse.Namespace) -> dict[str, object]:
    strengths = scipy.sparse.load_npz(arguments.strengths)
    ratings = read_ratings(spark, strengths, folder / "ratings.parquet")
    jvm = Jvm(spark)
    blas = jvm.blas()
    fit(ratings.sample(fraction=WARM_UP_SHARE, seed=1), 1, "warm-up", arguments)
    fit(ratings, 0, "warm-up", arguments)
    laps = Laps(jvm.pid())
    start = fit(ratings, 0, SET_UP, arguments)
    set_up = laps.lap().cpu_seconds
    model = fit(ratings, arguments.iterations, TRAINING, arguments)
    iterations = laps.lap().cpu_seconds - set_up
    peak = peak_bytes(jvm.pid())
    save_factors(arguments.start, *factors_of(start, strengths.shape))
    save_factors(arguments.trained, *factors_of(model, strengths.shape))
    return {
        "cpu_seconds": iterations / arguments.iterations,
        "peak_bytes": peak,
        "recommend_cpu_seconds": measure_lists(model, arguments.recommend_users, laps),
        "blas": blas,
        "java": jvm.java_version(),
        "version": spark.version,
    }


def read_ratings(spark: SparkSession, strengths: scipy.sparse.csr_matrix, path: Path) -> DataFrame:
    users = np.repeat(np.arange(strengths.shape[0], dtype=np.int32), np.diff(strengths.indptr))
    ratings = {"user": users, "item": strengths.indices, "rating": strengths.data}
    pq.write_table(pa.table(ratings), path)
    return spark.read.parquet(str(path))


def fit(ratings: DataFrame, iterations: int, name: str, arguments: argparse.Namespace) -> ALSModel:
    """Train; `name` is how the event log will know what this fit has shuffled."""
    ratings.sparkSession.sparkContext.setJobGroup(name, name)
    return ALS(
        rank=arguments.factors,
        maxIter=iterations,
        regParam=OBJECTIVES["mllib"].regularization,
        alpha=ALPHA,
        implicitPrefs=True,
        numUserBlocks=arguments.blocks,
        numItemBlocks=arguments.blocks,
        blockSize=arguments.block_size,
        seed=1,
    ).fit(ratings)


def factors_of(model: ALSModel, shape: tuple[int, int]) -> tuple[Factors, Factors]:
    """User and item factors as arrays; a row that MLlib has no data of is zero."""
    sides = []
    for frame, rows in zip((model.userFactors, model.itemFactors), shape, strict=True):
        found = frame.toArrow()
        factors = np.zeros((rows, model.rank), np.float32)
        flat = found["features"].combine_chunks().flatten().to_numpy()
        factors[found["id"].to_numpy()] = flat.reshape(-1, model.rank)
        sides.append(factors)
    return sides[0], sides[1]


def measure_lists(model: ALSModel, sizes: list[int], laps: Laps) -> dict[int, float]:
    """CPU seconds of lists for so many users, by their number."""
    recommend(model, max(sizes))  # warms up
    costs = {}
    for users in sizes:
        laps.lap()
        recommend(model, users)
        costs[users] = laps.lap().cpu_seconds
    return costs


def recommend(model: ALSModel, users: int) -> None:
    """The best items of the first users, computed and thrown away."""
    subset = model.userFactors.sparkSession.range(users).selectExpr("cast(id as int) as user")
    lists = model.recommendForUserSubset(subset, LIST_LENGTH)
    lists.write.format("noop").mode("overwrite").save()


def parse_arguments() -> argparse.Namespace:
    parser = training_arguments(__doc__)
    parser.add_argument("--memory", default="8g", help="of the JVM's heap (default: 8g)")
    parser.add_argument("--blocks", type=int, default=CORES, help="of users and of items, each")
    parser.add_argument("--block-size", type=int, default=4096, help="rows multiplied at a time")
    parser.add_argument("--recommend-users", type=int, nargs="+", default=[1000, 5000])
    return parser.parse_args()


if __name__ == "__main__":
    main()
