"""Cost of an iteration of this project's distributed ALS, on executors of one core each."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import scipy.sparse
from pyspark.sql import SparkSession

from benchmarks.peers.event_log import result_bytes, shuffled_bytes
from benchmarks.peers.exchange import report, save_factors, training_arguments
from benchmarks.peers.measure import peak_bytes, process_tree
from benchmarks.peers.spark import start_spark
from recsys.training.als import AlsSettings, Device
from spark_jobs.distributed.data_parallel import DataParallel
from spark_jobs.distributed.model_parallel import ModelParallel
from spark_jobs.distributed.pairs_source import PairsSource, write_pairs
from spark_jobs.distributed.strategy import TrainingStrategy

STRATEGIES: dict[str, Callable[[Path, int], TrainingStrategy]] = {
    "data-parallel": DataParallel,
    "model-parallel": ModelParallel,
}
ROOT = Path(__file__).parents[2]
MEASURED = "iterations"
# Iterations in which JVMs compile their code and Python workers start.
WARM_UP = 8


class Laps:
    """Wall and CPU seconds an iteration, from the one that ends the warm-up to the last."""

    def __init__(self, spark: SparkSession, iterations: int) -> None:
        self._context = spark.sparkContext
        self._iterations = iterations
        self._started = 0.0
        self._before: dict[int, float] = {}
        self.wall = 0.0
        self.driver = 0.0
        self.executors: list[float] = []
        self.workers: list[float] = []
        self.worker_peak = 0

    def __call__(self, _trial: int, finished: int) -> None:
        if finished in (1, self._iterations):
            # Early, since Spark ends workers that are idle for a minute: some cut the pairs.
            self.worker_peak = max(self.worker_peak, *map(peak_bytes, worker_pids()))
        if finished == WARM_UP:
            self._context.setJobGroup(MEASURED, MEASURED)
            self._before, self._started = self._cpu(), time.perf_counter()
        elif finished == self._iterations:
            self._stop()

    def _stop(self) -> None:
        self._context.setJobGroup("rest", "rest")
        count = self._iterations - WARM_UP
        self.wall = (time.perf_counter() - self._started) / count
        spent = {pid: used - self._before.get(pid, 0) for pid, used in self._cpu().items()}
        executors = [process_tree(executor) for executor in executor_roots()]
        self.workers = [sum(spent.get(p.pid, 0) for p in every[1:]) / count for every in executors]
        self.executors = [sum(spent.get(p.pid, 0) for p in every) / count for every in executors]
        self.driver = sum(spent.values()) / count - sum(self.executors)

    def _cpu(self) -> dict[int, float]:
        own = psutil.Process()
        times = {p.pid: p.cpu_times() for p in [own, *own.children(recursive=True)]}
        return {pid: used.user + used.system for pid, used in times.items()}


def executor_roots() -> list[psutil.Process]:
    """The JVMs of the executors."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
        and "CoarseGrainedExecutorBackend" in " ".join(process.cmdline())
    ]


def worker_pids() -> list[int]:
    """The Python processes of all executors: all below their JVMs."""
    return [p.pid for root in executor_roots() for p in process_tree(root)[1:]]


def main() -> None:
    arguments = parse_arguments()
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    strengths = scipy.sparse.load_npz(arguments.strengths)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["SPARK_WORKER_DIR"] = str(folder / "workers")
        pairs = write_pairs(strengths, folder / "pairs.parquet")
        master = f"local-cluster[{arguments.executors},1,{arguments.memory_mib}]"
        spark = start_spark("2g", folder, master)
        try:
            figures = measure(spark, pairs, folder, arguments)
            log = folder / spark.sparkContext.applicationId
        finally:
            spark.stop()
        count = arguments.iterations - WARM_UP
        shuffled = shuffled_bytes(log)[MEASURED] / count
        results = result_bytes(log)[MEASURED] / count
    report(**figures, shuffled_bytes=shuffled, result_bytes=results)


def measure(
    spark: SparkSession, pairs: PairsSource, folder: Path, arguments: argparse.Namespace
) -> dict[str, object]:
    settings = AlsSettings(
        factors=arguments.factors, iterations=arguments.iterations, device=Device.CPU
    )
    laps = Laps(spark, arguments.iterations)
    strategy = STRATEGIES[arguments.strategy](folder, arguments.shards)
    (model,) = strategy.train(spark, pairs, [settings], laps)
    save_factors(arguments.trained, model.user_factors, model.item_factors)
    return {
        "wall_seconds": laps.wall,
        "driver_cpu_seconds": laps.driver,
        "executor_cpu_seconds": laps.executors,
        "worker_cpu_seconds": laps.workers,
        "worker_peak_bytes": laps.worker_peak,
        "alpha": model.alpha,
    }


def parse_arguments() -> argparse.Namespace:
    parser = training_arguments(__doc__)
    parser.add_argument("--strategy", choices=STRATEGIES, required=True)
    parser.add_argument("--executors", type=int, required=True, help="of one core each")
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--memory-mib", type=int, default=1024, help="heap of an executor")
    return parser.parse_args()


if __name__ == "__main__":
    main()
