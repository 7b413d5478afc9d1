"""Say before anything starts what would make it fail: ports, disk, folders, memory."""

import os
import shutil
import socket
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import psutil

from infra.local.errors import PreflightError
from infra.local.ports import DEFAULT_STACK, variable
from infra.local.processes.program import Program
from infra.local.settings import LOOPBACK, Settings

_NEEDED_DISK_BYTES = 2 * 1024**3
_NEEDED_MEMORY_BYTES = int(2.5 * 1024**3)
_GIB = 1024**3


def check_ports(settings: Settings, programs: Iterable[Program]) -> None:
    """Raises PreflightError naming every port that is taken, by whom, and what moves it."""
    taken = [
        f"- {_taken(settings, program, name)}"
        for program in programs
        for name in program.ports
        if not is_free(settings.ports[name])
    ]
    if taken:
        raise PreflightError("ports that the stack needs are taken:\n" + "\n".join(taken))


def is_free(port: int) -> bool:
    """Could a server listen on `port` of the loopback address now?"""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: what an ended server left in TIME_WAIT is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Describe the process that listens on `port`, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.laddr[1:] == (port,) and connection.status == psutil.CONN_LISTEN
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return "a process of which this user may know no more"


def open_lock(settings: Settings) -> TextIO:
    """The file to lock: beside the stack's folder, since that may be deleted at any time.

    Raises PreflightError where it cannot be made.
    """
    path = settings.home.with_name(f"{settings.name}.lock")
    try:
        path.parent.mkdir(exist_ok=True)
        return path.open("w")
    except OSError as error:
        raise _unwritable(error) from error


def make_folders(settings: Settings) -> None:
    """Make the stack's folders. Raises PreflightError where that is not possible."""
    try:
        for folder in (settings.home, settings.logs, settings.config, settings.data):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.models.mkdir(exist_ok=True)
        _make_run_dir(settings.run_dir)
    except OSError as error:
        raise _unwritable(error) from error


def check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _NEEDED_DISK_BYTES:
        raise PreflightError(
            f"the disk of {folder} has {free / _GIB:.1f} GiB free, the stack needs "
            f"{_NEEDED_DISK_BYTES / _GIB:.0f}: make room, or move the checkout"
        )


def memory_warning() -> str | None:
    """A sentence when the machine has less memory to give than the stack takes."""
    available = psutil.virtual_memory().available
    if available >= _NEEDED_MEMORY_BYTES:
        return None
    return (
        f"only {available / _GIB:.1f} GiB of memory are available, the stack takes up to "
        f"{_NEEDED_MEMORY_BYTES / _GIB:.1f}: close other programs if it gets slow"
    )


def _unwritable(error: OSError) -> PreflightError:
    return PreflightError(
        f"cannot make the folders of the stack ({error}): use a checkout that you can write to"
    )


def _make_run_dir(run_dir: Path) -> None:
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Under /tmp somebody else could have made it first, to get at our sockets.
    found = run_dir.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PreflightError(f"{run_dir} belongs to somebody else: remove it")
    run_dir.chmod(0o700)


def _taken(settings: Settings, program: Program, name: str) -> str:
    port = settings.ports[name]
    if settings.name == DEFAULT_STACK:
        remedy = f"stop that, or set {variable(name)} to another port"
    else:
        remedy = "stop that, or choose another --name"
    return f"{port} ({name} of {program.name}) by {holder(port)}: {remedy}"
