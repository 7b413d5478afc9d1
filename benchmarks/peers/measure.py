"""CPU time and memory of a process, with all its threads."""

import time
from pathlib import Path
from typing import NamedTuple

import psutil


class Cost(NamedTuple):
    """Cost of some work: CPU seconds, user and system, of all threads; and wall-clock time."""

    cpu_seconds: float
    wall_seconds: float


class Laps:
    """The cost of what a process (this one) does, from lap to lap."""

    def __init__(self, pid: int | None = None) -> None:
        self._process = psutil.Process(pid) if pid else None
        self._before = self._now()

    def lap(self) -> Cost:
        """Measure the work since the last call."""
        before, self._before = self._before, self._now()
        return Cost(*(now - then for now, then in zip(self._before, before, strict=True)))

    def _now(self) -> Cost:
        if self._process is None:
            return Cost(time.process_time(), time.perf_counter())
        times = self._process.cpu_times()
        return Cost(times.user + times.system, time.perf_counter())


def process_tree(root: psutil.Process) -> list[psutil.Process]:
    """A process first, then all below it that still run."""
    every = [root, *root.children(recursive=True)]
    return [process for process in every if process.status() != psutil.STATUS_ZOMBIE]


def peak_bytes(pid: int | None = None) -> int:
    """The most memory a process (this one) has held at a time.

    Not getrusage's ru_maxrss: that one a process inherits from the one it was forked from.
    """
    status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])
