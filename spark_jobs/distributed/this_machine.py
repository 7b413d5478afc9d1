"""Memory that this process may still take."""

import re
from pathlib import Path

_CONTAINER = Path("/sys/fs/cgroup")


def available_bytes(meminfo: Path = Path("/proc/meminfo"), container: Path = _CONTAINER) -> int:
    """Bytes that the machine has left, or the container, where that is less."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo.read_text("ascii"), re.MULTILINE)
    machine = 1024 * int(found[1]) if found else 0
    try:
        most = int((container / "memory.max").read_text("ascii"))
        used = int((container / "memory.current").read_text("ascii"))
        statistics = (container / "memory.stat").read_text("ascii")
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return machine
    # Files that were read lately count as used, but make room when it is needed.
    files = re.search(r"^inactive_file (\d+)", statistics, re.MULTILINE)
    used -= int(files[1]) if files else 0
    return min(machine, max(most - used, 0))
