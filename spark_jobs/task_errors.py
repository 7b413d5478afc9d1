"""Errors of Spark and its tasks, as the errors of this project they stand for."""

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from recsys.core.errors import InvalidModel, NotFound, NotSetUp, Unavailable
from recsys.stores.run_events import damaged
from spark_jobs.settings import BatchSettings

# The last line of the traceback that Spark brings as text.
_UNAVAILABLE = re.compile(r"^recsys\.core\.errors\.Unavailable: (\w+) is unavailable: (.*)$", re.M)
_OTHERS = tuple(
    (kind, re.compile(rf"^recsys\.core\.errors\.{kind.__name__}: (.*)$", re.M))
    for kind in (NotSetUp, NotFound, InvalidModel)
)
# What Spark says when the process of a task has gone without a word.
_WORKER_ENDED = "Python worker exited unexpectedly"


@contextmanager
def errors_of_tasks() -> Iterator[None]:
    """Raise the error of ours for which what ran on Spark inside failed.

    Tasks have then been tried as often as Spark does. A data source fails before there are tasks,
    when it is asked for its partitions, with another exception of Spark's.
    """
    try:
        yield
    except PySparkException as error:
        text = str(error)
        if found := _UNAVAILABLE.search(text):
            raise Unavailable(found[1], found[2]) from error
        for kind, line in _OTHERS:
            if found := line.search(text):
                raise kind(found[1]) from error
        if _WORKER_ENDED in text:
            raise Unavailable(
                "spark",
                "the Python process of a task was killed, most likely for want of memory: give this"
                " machine more, or let fewer tasks run at once (RECSYS_SPARK_MASTER=local[2])",
            ) from error
        raise


# As Python's own errors of a task name it.
_FILE = re.compile(r"\[Errno \d+\] [^:]+: '([^']+)'")
_DAMAGED = re.compile(r"\[FAILED_READ_FILE\S*\] [^:]*file file:(\S+?)\.? ")
# The JVM knows no errno, and says this in whatever exception it wraps the cause.
_STORAGE_ERRORS = {os.strerror(code): code for code in (errno.ENOSPC, errno.EACCES, errno.EROFS)}


@contextmanager
def spark_storage_errors(settings: BatchSettings) -> Iterator[None]:
    """Raise OSError when Spark could not write files, NotFound when one it read is damaged."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        text = str(error)
        if found := _DAMAGED.search(text):
            raise damaged(found[1]) from error
        for reason, code in _STORAGE_ERRORS.items():
            if reason in text:
                raise OSError(code, reason, _where(text, settings)) from error
        raise


def _where(text: str, settings: BatchSettings) -> str:
    """The file that could not be written; Java does not say it, and may have meant one of two."""
    if found := _FILE.search(text):
        return found[1]
    scratch = os.environ.get("SPARK_LOCAL_DIRS", tempfile.gettempdir())
    return f"{settings.model_store}, or {scratch} (SPARK_LOCAL_DIRS)"
