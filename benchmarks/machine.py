"""Description of the machine that a benchmark ran on."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

TRAINING = ("numpy", "numba", "implicit")


def machine(packages: Iterable[str] = TRAINING) -> str:
    """Cores, processor and the versions that matter, in a line."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {_processor()}, Python {platform.python_version()}, {versions}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
