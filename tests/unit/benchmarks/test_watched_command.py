"""Watching a command from outside."""

import sys

import psutil
import pytest

from benchmarks.watched_command import DRIVER, WORKERS, watched

STEPS = """
import subprocess, sys, time
print("starting", flush=True)
time.sleep(1.5)
print("[read]", flush=True)
held = bytearray(200 * 2**20)
for at in range(0, len(held), 4096): held[at] = 1
subprocess.run([sys.executable, "-c", "import time; time.sleep(3)"])
print("[read] done in 3 s", flush=True)
"""


def test_steps_have_their_own_time_memory_and_silence() -> None:
    servers = {"this": psutil.Process()}

    before, read = watched([sys.executable, "-c", STEPS], servers)

    assert (before.name, read.name) == ("", "read")
    assert before.wall_seconds > 1.4
    assert read.silent_seconds > 2.9
    assert before.peak_bytes[DRIVER] < 100 * 2**20 < 200 * 2**20 < read.peak_bytes[DRIVER]
    assert read.peak_bytes[WORKERS] > 0
    assert set(read.cpu_seconds) == {"this", DRIVER, WORKERS}


def test_a_command_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="ended with 3"):
        watched([sys.executable, "-c", "raise SystemExit(3)"], {})
