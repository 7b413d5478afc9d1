"""Files that are there whole or not at all, and what is said when they cannot be written."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.core.errors import StorageFailure

UNFINISHED = ".unfinished"
_REMEDIES = {
    errno.ENOSPC: "free some space, e.g. by `recsys models remove VERSION`",
    errno.EDQUOT: "free some space, e.g. by `recsys models remove VERSION`",
    errno.EACCES: "let this user write there",
    errno.EPERM: "let this user write there",
    errno.EROFS: "mount it for writing, or name another place",
}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn errors of the file system into StorageFailure, which says what to do."""
    try:
        yield
    except OSError as error:
        raise storage_failure(path, error.errno or 0, error.strerror or str(error)) from error


def storage_failure(path: Path, code: int, reason: str) -> StorageFailure:
    """The error for a file that cannot be written, with the remedy for its `errno`."""
    remedy = _REMEDIES.get(code, "then run again")
    return StorageFailure(f"cannot write {path}: {reason}; {remedy}")


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file in one step; it survives a crash once this returns.

    Raises:
        StorageFailure: the file is what it was.
    """
    beside = path.with_name(f".{path.name}{UNFINISHED}")
    with storage_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(beside, data)
            beside.replace(path)
            sync_folder(path.parent)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write a folder whole, then give it its name, replacing one of that name.

    Raises:
        StorageFailure: nothing of it is left.
    """
    beside = folder.with_name(f".{folder.name}{UNFINISHED}")
    with storage_errors(folder):
        try:
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            for name, data in files.items():
                _write(beside / name, data)
            shutil.rmtree(folder, ignore_errors=True)
            beside.rename(folder)
            sync_folder(folder.parent)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder."""
    for left in list(folder.rglob(f".*{UNFINISHED}")):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a crash of the machine."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
