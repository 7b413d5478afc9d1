"""A replica that is slow without being dead, as on a machine that somebody else keeps busy."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOPPED_SECONDS, RUNNING_SECONDS = 0.03, 0.01


@contextmanager
def slowed(pid: int) -> Iterator[None]:
    """Let the process run a quarter of the time only, in turns of 40 ms, until the block ends."""
    ended = threading.Event()
    thread = threading.Thread(target=_stop_and_go, args=(pid, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _stop_and_go(pid: int, ended: threading.Event) -> None:
    try:
        while not ended.wait(RUNNING_SECONDS):
            os.kill(pid, signal.SIGSTOP)
            ended.wait(STOPPED_SECONDS)
            os.kill(pid, signal.SIGCONT)
    finally:
        os.kill(pid, signal.SIGCONT)
