"""Errors of Spark and its tasks, as the errors of this project they stand for."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, PythonException

from recsys.core.errors import Unavailable
from spark_jobs.settings import BatchSettings

# The last line of the traceback that Spark brings as text.
_UNAVAILABLE = re.compile(r"^recsys\.core\.errors\.Unavailable: (\w+) is unavailable: (.*)$", re.M)


@contextmanager
def errors_of_tasks() -> Iterator[None]:
    """Raise Unavailable when the tasks that ran inside failed for it, after Spark's own retries."""
    try:
        yield
    except PythonException as error:
        found = _UNAVAILABLE.search(str(error))
        if found is None:
            raise
        raise Unavailable(found[1], found[2]) from error


# The JVM knows no errno, and says this in whatever exception it wraps the cause.
_STORAGE_ERRORS = {os.strerror(code): code for code in (errno.ENOSPC, errno.EACCES, errno.EROFS)}


@contextmanager
def spark_storage_errors(settings: BatchSettings) -> Iterator[None]:
    """Raise OSError when Spark could not write its files."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        text = str(error)
        for reason, code in _STORAGE_ERRORS.items():
            if reason in text:
                raise OSError(code, reason, str(settings.model_store)) from error
        raise
