"""A Spark of several processes on this machine, to train on and to break."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

from infra.local.java import java_home, spark_java_home
from spark_jobs.session import spark_session
from spark_jobs.settings import SparkSettings

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


def kill_an_executor() -> None:
    """kill -9 of one of them; Spark starts another."""
    os.kill(executor_pids()[0], signal.SIGKILL)
