"""A Spark of several processes on this machine, to train on and to break."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import psutil
import pytest
from pyspark.sql import SparkSession

from infra.local.servers.java import java_home, spark_java_home
from spark_jobs.distributed.strategy import Progress
from spark_jobs.session import spark_session
from spark_jobs.settings import SparkSettings
from tests.stack_fixture import QUICK_JAVA

ROOT = Path(__file__).parents[3]
EXECUTORS = 2
_EXECUTOR = "CoarseGrainedExecutorBackend"


@contextmanager
def spark_cluster(folder: Path) -> Iterator[SparkSession]:
    """A session on EXECUTORS executor processes of one core each, which import this checkout."""
    if other := SparkSession.getActiveSession():
        other.stop()
    configured = os.environ.get("JAVA_HOME")
    java = java_home(Path(configured) if configured else None)
    settings = SparkSettings(
        RECSYS_SPARK_MASTER=f"local-cluster[{EXECUTORS},1,1024]", RECSYS_SPARK_MEMORY="1g"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(spark_java_home(java, folder / "java")))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        # Of the executors, too.
        patch.setenv("JAVA_TOOL_OPTIONS", QUICK_JAVA)
        # Where the executors have their folders and logs.
        patch.setenv("SPARK_WORKER_DIR", str(folder / "workers"))
        with spark_session(settings, "test") as spark:
            spark.sparkContext.environment["PYTHONPATH"] = str(ROOT)
            yield spark


def executor_pids() -> list[int]:
    """The executors that run as descendants of this process."""
    return [
        child.pid
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE and _EXECUTOR in " ".join(child.cmdline())
    ]


@contextmanager
def an_executor_dies() -> Iterator[Progress]:
    """Progress of a training that kills -9 an executor soon after the first iteration.

    At the end of the block Spark must have started another.
    """
    before, timer = executor_pids(), Timer(0.05, lambda: os.kill(before[0], signal.SIGKILL))

    def kill_soon(trial: int, iteration: int) -> None:
        if (trial, iteration) == (0, 1):
            timer.start()

    yield kill_soon
    timer.join()
    assert set(executor_pids()) != set(before)
