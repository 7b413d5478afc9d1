"""The Spark session of a batch job."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from spark_jobs.settings import BatchSettings


@contextmanager
def spark_session(settings: BatchSettings, name: str) -> Iterator[SparkSession]:
    """A session that stops with the block."""
    # Workers must run the interpreter, and so the packages, of this process.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    spark = (
        SparkSession.builder.appName(name)
        .master(settings.spark_master)
        .config("spark.driver.memory", settings.spark_memory)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "true")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.sql.session.timeZone", "UTC")
        # Adaptive execution merges what is too small, so the start may be generous.
        .config("spark.sql.shuffle.partitions", "64")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    try:
        yield spark
    finally:
        spark.stop()
