"""A replica that is made slow, for a while."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from benchmarks.serving.slow_replica import slowed
from tests.eventually import eventually


@pytest.fixture
def busy() -> Iterator[psutil.Process]:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


def test_it_is_stopped_again_and_again_and_runs_on_afterwards(busy: psutil.Process) -> None:
    with slowed(busy.pid):
        for status in (psutil.STATUS_STOPPED, psutil.STATUS_RUNNING) * 2:
            eventually(lambda status=status: busy.status() == status)  # type: ignore[misc]

    assert busy.status() == psutil.STATUS_RUNNING


def test_it_runs_on_when_the_block_fails(busy: psutil.Process) -> None:
    def fail_once_it_is_stopped() -> None:
        eventually(lambda: busy.status() == psutil.STATUS_STOPPED)
        raise KeyError

    with pytest.raises(KeyError), slowed(busy.pid):
        fail_once_it_is_stopped()

    assert busy.status() == psutil.STATUS_RUNNING
