"""The Spark session of a batch job."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from recsys.core.errors import ConfigurationError
from spark_jobs.settings import SparkSettings

WORKER_STARTUP = Path(__file__).with_name("worker_startup")
_LOGGING = Path(__file__).with_name("log4j2.properties")
# A task names all that its data was made from, each in what came before: with the iterations of
# MLlib's ALS more calls within calls than a thread's usual megabyte holds.
_STACK = "-Xss4m"


@contextmanager
def spark_session(settings: SparkSettings, name: str) -> Iterator[SparkSession]:
    """A session that stops with the block.

    Raises:
        ConfigurationError: when there is no Java that Spark runs on.
    """
    # Workers must run the interpreter, and so the packages, of this process.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["PYTHONPATH"] = _worker_path(os.environ.get("PYTHONPATH", ""))
    builder = (
        SparkSession.builder.appName(name)
        .master(settings.spark_master)
        .config("spark.driver.memory", settings.spark_memory)
        .config(
            "spark.driver.extraJavaOptions",
            f"{_STACK} -Dlog4j2.configurationFile={_LOGGING.as_uri()}",
        )
        .config("spark.executor.extraJavaOptions", _STACK)
        .config("spark.ui.enabled", "false")
        # What is broadcast is factors: their digits are noise, which no compression shortens.
        .config("spark.broadcast.compress", "false")
        # Over TCP each stage waits 40 ms for Python: two small writes, and an acknowledgement that
        # comes late.
        .config("spark.python.unix.domain.socket.enabled", "true")
        # Its bar redraws itself, which only a terminal can show.
        .config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
        .config("spark.sql.session.timeZone", "UTC")
        # Trainings that share the cluster get even parts of it.
        .config("spark.scheduler.mode", "FAIR")
        # Adaptive execution merges what is too small, so the start may be generous.
        .config("spark.sql.shuffle.partitions", "64")
    )
    try:
        spark = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise ConfigurationError(
            f"Spark does not start; is JAVA_HOME a Java 17 to 21? ({error})"
        ) from error
    try:
        yield spark
    finally:
        spark.stop()


def _worker_path(path: str) -> str:
    """The PYTHONPATH that Spark hands to the Python processes it starts on this machine."""
    others = [one for one in path.split(os.pathsep) if one and one != str(WORKER_STARTUP)]
    return os.pathsep.join([str(WORKER_STARTUP), *others])
