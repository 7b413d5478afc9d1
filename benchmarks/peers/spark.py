"""A Spark for MLlib to run in, and what it computes with."""

import os
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from benchmarks.peers.java import java_home

CORES = len(os.sched_getaffinity(0))
_FAST_BLAS = ("dev.ludovic.netlib.blas.VectorBLAS", "dev.ludovic.netlib.blas.JNIBLAS")


def start_spark(memory: str, folder: Path, master: str = f"local[{CORES}]") -> SparkSession:
    """Spark, by default in one JVM on all cores; its files and its event log are in `folder`."""
    os.environ["JAVA_HOME"] = str(java_home())
    os.environ["PYSPARK_PYTHON"] = sys.executable
    return (
        SparkSession.builder.master(master)
        .config("spark.driver.memory", memory)
        .config("spark.local.dir", str(folder))
        .config("spark.ui.enabled", "false")
        # As in spark_jobs/session.py.
        .config("spark.broadcast.compress", "false")
        .config("spark.python.unix.domain.socket.enabled", "true")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", folder.as_uri())
        .config("spark.eventLog.compress", "false")
        .config("spark.eventLog.rolling.enabled", "false")
        .getOrCreate()
    )


class Jvm:
    """The process that Spark computes in."""

    def __init__(self, spark: SparkSession) -> None:
        self._jvm: Any = spark._jvm

    def pid(self) -> int:
        return int(self._jvm.java.lang.ProcessHandle.current().pid())

    def java_version(self) -> str:
        return str(self._jvm.java.lang.System.getProperty("java.version"))

    def blas(self) -> str:
        """The class that does MLlib's linear algebra.

        Raises SystemExit if it is one without vector instructions.
        """
        # The object that MLlib itself asks, so nothing has to be guessed from versions and logs.
        blas = getattr(self._jvm.org.apache.spark.ml.linalg, "BLAS$").__getattr__("MODULE$")
        name = str(blas.nativeBLAS().getClass().getName())
        if name not in _FAST_BLAS:
            raise SystemExit(f"MLlib computes with {name}, that is, without vector instructions")
        return name
