"""Files that are there whole or not at all, and their errors as a person needs them."""

import errno
import os
import shutil
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_DRAFT = ".part"
_REMEDIES = {
    errno.ENOSPC: "make room on its disk, then run this again",
    errno.EDQUOT: "this user may store no more: make room, then run this again",
    errno.EROFS: "its file system is read-only: name a place that can be written",
    errno.EACCES: "give this user the right to use it, or name another place",
    errno.EPERM: "give this user the right to use it, or name another place",
}


def write_whole(path: Path, content: str | bytes, mode: int = 0o666) -> None:
    """Put `content` at `path`: a reader sees the old file or the new one. Durable on return.

    Args:
        content: text is written as UTF-8.
        mode: of a new file, less the process's umask.

    Raises:
        OSError: naming `path`; the old file is as it was, and nothing is left beside it.
    """
    data = content.encode() if isinstance(content, str) else content
    with whole_file(path, mode) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path, mode: int = 0o666, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file to be written that takes the name `path` when it is complete, not before.

    A file that it replaces keeps its owner and its mode, and a link goes on leading to it. What is
    no file, such as /dev/stdout or a pipe, is written to as it is.

    Args:
        durable: on the disk at the end. Not needed of what dies with the run that writes it.

    Raises:
        OSError: as `write_whole` does.
    """
    with errors_name(path):
        if is_stream(path):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as file:
                yield file
            return
        target = Path(os.path.realpath(path))
        # Each has a draft of its own: two that write the same file must not write into each
        # other's, even where they are threads, or processes of several machines on one folder.
        draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}{_DRAFT}")
        try:
            with _opened(draft, mode, durable=durable) as file:
                _take_owner_and_mode(file.fileno(), target)
                yield file
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        if durable:
            _sync_folder(target.parent)


def is_stream(path: Path) -> bool:
    """Tell whether a path is no file to be replaced: a device, a pipe, or what stdout is now."""
    return path.parent == Path("/dev") or (path.exists() and not path.is_file())


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files, replacing one of that name, as `write_whole` does a file.

    Raises:
        OSError: naming `folder`; nothing of it is left.
    """
    draft = folder.with_name(f".{folder.name}{_DRAFT}")
    with errors_name(folder):
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(parents=True)
            for name, data in files.items():
                with _opened(draft / name, 0o666, durable=True) as file:
                    file.write(data)
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        _sync_folder(folder.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder of files; what a kill leaves of it is a draft, and nothing of its name.

    Raises:
        OSError: when it cannot be removed.
    """
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}{_DRAFT}")
    folder.rename(draft)
    shutil.rmtree(draft)


def remove_drafts(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder and those within it."""
    for draft in list(folder.rglob(f".*{_DRAFT}")):
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)


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


@contextmanager
def _opened(path: Path, mode: int, *, durable: bool) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _take_owner_and_mode(descriptor: int, replaced: Path) -> None:
    """Whoever could read a file, a service by its group, can read the one that replaces it."""
    try:
        old = replaced.stat()
    except FileNotFoundError:
        return
    new = os.fstat(descriptor)
    try:
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    except PermissionError:
        return  # with the mode alone others could read it than before
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk only when the folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
