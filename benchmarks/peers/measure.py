"""CPU time and memory of a process, with all its threads."""

from pathlib import Path

import psutil


class CpuLaps:
    """CPU seconds, user and system, that a process (this one) uses in all its threads."""

    def __init__(self, pid: int | None = None) -> None:
        self._process = psutil.Process(pid)
        self._before = self._used()

    def lap(self) -> float:
        """CPU seconds since the last call."""
        before, self._before = self._before, self._used()
        return self._before - before

    def _used(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


def peak_bytes(pid: int | None = None) -> int:
    """The most memory a process (this one) has held at a time.

    Not getrusage's ru_maxrss: that one a process inherits from the one it was forked from.
    """
    status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])
