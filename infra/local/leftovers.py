"""Find and end processes of a stack that its supervisor does not know, if that was killed."""

import os
from collections.abc import Sequence
from contextlib import suppress

import psutil

from infra.local.settings import Settings

# In the environment of supervisord and all that descends from it, and nowhere else.
_MARK = "RECSYS_SUPERVISED_IN"
_KILL_AFTER_SECONDS = 30
_DEAD_AFTER_SECONDS = 5


def marked_environment(settings: Settings) -> dict[str, str]:
    """The environment to start the processes of a stack with."""
    return {**os.environ, _MARK: str(settings.home)}


def find(settings: Settings) -> list[psutil.Process]:
    """The running processes that were started for this stack."""
    return [process for process in psutil.process_iter() if _belongs(process, settings)]


def end(settings: Settings) -> Sequence[psutil.Process]:
    """Ask them to stop, then kill; returns those that even that did not end."""
    processes = find(settings)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=_KILL_AFTER_SECONDS)
    # What they started in the meantime goes with them.
    survivors = {*stubborn, *find(settings)}
    for process in survivors:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(survivors, timeout=_DEAD_AFTER_SECONDS)
    return find(settings)


def _belongs(process: psutil.Process, settings: Settings) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(_MARK) == str(
            settings.home
        )
    except (psutil.Error, OSError):  # gone meanwhile, or another user's
        return False
