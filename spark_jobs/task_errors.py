"""Errors raised on purpose inside Spark's tasks, as such on the driver."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.errors import PythonException

from recsys.core.errors import Unavailable

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
