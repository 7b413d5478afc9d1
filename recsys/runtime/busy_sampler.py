"""CPU use of a process: the figure by which services are scaled."""

import threading
import time
from collections import deque

from prometheus_client import Gauge

_EVERY_SECONDS = 0.5
WINDOW_SECONDS = 2.0


class BusySampler:
    """Keeps a gauge at the share of one core that this process used over the last two seconds.

    It costs requests nothing: the kernel counts, and a thread reads the count now and then. A
    Python process can hardly use more than one core, so near 1 it needs help.
    """

    def __init__(self, gauge: Gauge, every_seconds: float = _EVERY_SECONDS) -> None:
        self._gauge = gauge
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="busy-sampler", daemon=True)

    def __enter__(self) -> "BusySampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        readings = deque([_reading()], maxlen=1 + round(WINDOW_SECONDS / self._every_seconds))
        while not self._stopped.wait(self._every_seconds):
            readings.append(_reading())
            self._gauge.set(busy_ratio(readings[0], readings[-1]))


def busy_ratio(first: tuple[float, float], last: tuple[float, float]) -> float:
    """CPU seconds per second between two readings of (wall clock, CPU time)."""
    wall_seconds, cpu_seconds = (after - before for before, after in zip(first, last, strict=True))
    return cpu_seconds / wall_seconds


def _reading() -> tuple[float, float]:
    return time.monotonic(), time.process_time()
