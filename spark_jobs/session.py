"""The Spark session of a batch job."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from spark_jobs.settings import BatchSettings

_LOGGING = Path(__file__).with_name("log4j2.properties")


@contextmanager
def spark_session(settings: BatchSettings, name: str) -> Iterator[SparkSession]:
    """A session that stops with the block."""
    # Workers must run the interpreter, and so the packages, of this process.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = (
        SparkSession.builder.appName(name)
        .master(settings.spark_master)
        .config("spark.driver.memory", settings.spark_memory)
        .config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}")
        .config("spark.ui.enabled", "false")
        # Its bar redraws itself, which only a terminal can show.
        .config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
        .config("spark.sql.session.timeZone", "UTC")
        # Adaptive execution merges what is too small, so the start may be generous.
        .config("spark.sql.shuffle.partitions", "64")
        .getOrCreate()
    )
    try:
        yield spark
    finally:
        spark.stop()
