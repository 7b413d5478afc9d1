"""Lets Spark hang up on its Python workers without a traceback for each.

Python runs this at the start of every process that has this folder on its PYTHONPATH, as those of
Spark have (`spark_jobs.session`). No setting of Spark reaches all of them: those that plan a read
are always forked by pyspark's own daemon.

A worker that has had nothing to do for a minute is hung up on. It takes that for a failure, which
it cannot tell whoever hung up, and the daemon prints a traceback in the middle of a good run.
"""

import sys
import traceback
from typing import Any

_print_exc = traceback.print_exc


def _print_exc_unless_hung_up(*arguments: Any, **options: Any) -> None:
    if not isinstance(sys.exc_info()[1], BrokenPipeError):
        _print_exc(*arguments, **options)


traceback.print_exc = _print_exc_unless_hung_up
