"""Errors of files as a person needs them: which file, why, and what to do."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_REMEDIES = {
    errno.ENOSPC: "make room on its disk, then run this again",
    errno.EDQUOT: "this user may store no more: make room, then run this again",
    errno.EROFS: "its file system is read-only: name a place that can be written",
    errno.EACCES: "give this user the right to use it, or name another place",
    errno.EPERM: "give this user the right to use it, or name another place",
}


@contextmanager
def errors_name(path: Path) -> Iterator[None]:
    """Let an OSError name this file: one of a write names none, one of a draft names the draft."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def file_problem(error: OSError) -> str | None:
    """Say in one line what is wrong with a file; None when the error is about something else."""
    remedy = _REMEDIES.get(error.errno or 0)
    if error.filename is None and remedy is None:
        return None
    file = "a file" if error.filename is None else os.fsdecode(error.filename)
    return f"cannot use {file}: {error.strerror}; {remedy or 'check the path'}"
