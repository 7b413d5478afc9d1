"""The Spark session of a batch job."""

import logging
import os
import pwd
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from recsys.core.errors import ConfigurationError, Unavailable
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
        ConfigurationError: when there is no Java that Spark runs on, or no name of this user.
        Unavailable: when its Java process ends before the block does.
    """
    _check_user()
    # py4j tells its logger, or the root one, of each broken connection, with its traceback; what
    # that means for the job is raised as well.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_not_of_py4j)
    on_interrupt = signal.getsignal(signal.SIGINT)
    # Workers must run the interpreter, and so the packages, of this process.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["PYTHONPATH"] = _worker_path(os.environ.get("PYTHONPATH", ""))
    if settings.spark_master.startswith("local"):
        # All of it is on this machine, whose name need not lead anywhere.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
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
        # An event takes some 20 bytes of a file: by the usual 128 MB a task would have six million,
        # and ten million keep three processors busy.
        .config("spark.sql.files.maxPartitionBytes", "32m")
        # Adaptive execution merges what is too small, so the start may be generous.
        .config("spark.sql.shuffle.partitions", "64")
    )
    try:
        spark = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise ConfigurationError(
            "Spark does not start, see what it says above; is JAVA_HOME a Java 17 to 21, and is"
            f" there a Spark at RECSYS_SPARK_MASTER, {settings.spark_master}? ({error})"
        ) from error
    if threading.current_thread() is threading.main_thread():
        # Spark's own calls Java from within the call that it interrupts, which fails; stopping the
        # session ends all jobs, too.
        signal.signal(signal.SIGINT, on_interrupt)
    with _ended_by_its_reason(spark, settings):
        yield spark


def _check_user() -> None:
    """Raises ConfigurationError for one that /etc/passwd does not know, which Hadoop refuses."""
    user = os.getuid()
    try:
        pwd.getpwuid(user)
    except KeyError:
        raise ConfigurationError(
            f"the user {user} has no name, which Spark needs: run this as a user that /etc/passwd"
            " lists, or add a line for it there"
        ) from None


@contextmanager
def _ended_by_its_reason(spark: SparkSession, settings: SparkSettings) -> Iterator[None]:
    """Stop a session with the block, and raise why the block ended, not what that led to."""
    try:
        yield
    except Exception as error:
        if _comes_of_an_interrupt(error):
            raise KeyboardInterrupt from error
        if _answers(spark):
            raise
        raise Unavailable(
            "spark",
            "its Java process was killed, most likely for want of memory: give this machine more,"
            f" or Spark less (RECSYS_SPARK_MEMORY, now {settings.spark_memory})",
        ) from error
    finally:
        with suppress(Py4JError, OSError):
            spark.stop()


def _comes_of_an_interrupt(error: BaseException) -> bool:
    """Whether it was raised by what cleans up after a call to Java that was interrupted."""
    before = error.__context__
    while before is not None and not isinstance(before, KeyboardInterrupt):
        before = before.__context__
    return before is not None


def _answers(spark: SparkSession) -> bool:
    try:
        return bool(spark.version)
    except (Py4JError, OSError):
        return False


def _is_not_of_py4j(record: logging.LogRecord) -> bool:
    return record.module not in {"clientserver", "java_gateway"}


def _worker_path(path: str) -> str:
    """The PYTHONPATH that Spark hands to the Python processes it starts on this machine."""
    others = [one for one in path.split(os.pathsep) if one and one != str(WORKER_STARTUP)]
    return os.pathsep.join([str(WORKER_STARTUP), *others])
