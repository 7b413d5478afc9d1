"""Find and end processes of a stack that its supervisor does not know, if that was killed."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from infra.local.settings import Settings

# In the environment of supervisord and all that descends from it, and nowhere else.
_MARK = "RECSYS_SUPERVISED_IN"
_KILL_AFTER_SECONDS = 30
_DEAD_AFTER_SECONDS = 5
_POLL_SECONDS = 0.1


def marked_environment(settings: Settings) -> dict[str, str]:
    """The environment to start the processes of a stack with."""
    return {**os.environ, _MARK: str(settings.home)}


def find(settings: Settings) -> list[psutil.Process]:
    """The running processes that were started for this stack."""
    return [process for process in psutil.process_iter() if _belongs(process, settings)]


def end(settings: Settings) -> Sequence[psutil.Process]:
    """Ask them to stop, then kill; returns those that even that did not end."""
    alive = _signal_all(settings, signal.SIGTERM, _KILL_AFTER_SECONDS)
    return alive and _signal_all(settings, signal.SIGKILL, _DEAD_AFTER_SECONDS)


def _signal_all(
    settings: Settings, number: signal.Signals, patience_seconds: float
) -> Sequence[psutil.Process]:
    """Those that are still there after the patience."""
    processes = find(settings)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    give_up = time.monotonic() + patience_seconds
    while (alive := [p for p in processes if not _is_gone(p)]) and time.monotonic() < give_up:
        time.sleep(_POLL_SECONDS)
    return alive or find(settings)


def _is_gone(process: psutil.Process) -> bool:
    """Has it given back its ports? Where nobody collects orphans it stays as a zombie for ever."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _belongs(process: psutil.Process, settings: Settings) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(_MARK) == str(
            settings.home
        )
    except (psutil.Error, OSError):  # gone meanwhile, or another user's
        return False
