"""Figures of a chain: CPU time of processes by kind, and responses by kind."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from benchmarks.serving.chains import CpuClock, answers_in, kind_of
from recsys.runtime.metrics import new_metrics

# Says so when it has spent that much CPU time in a thread, and waits to be told to end.
_SPENDER = """
import sys, threading, time
def spend():
    while time.process_time() < float(sys.argv[1]):
        pass
thread = threading.Thread(target=spend)
input()
thread.start()
thread.join()
print("done", flush=True)
input()
"""


@contextmanager
def process(spends_seconds: float) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", _SPENDER, str(spends_seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as found:
        yield found
        if found.poll() is None:
            found.communicate("\n")


def tell(found: "subprocess.Popen[str]") -> None:
    assert found.stdin
    found.stdin.write("\n")
    found.stdin.flush()


def test_processes_of_a_kind_are_added_up_threads_included() -> None:
    with ExitStack() as running:
        seconds = {"gateway-1": 0.25, "gateway-2": 0.25, "haproxy": 0.0}
        processes = {name: running.enter_context(process(s)) for name, s in seconds.items()}
        clock = CpuClock({name: one.pid for name, one in processes.items()})
        for one in processes.values():
            tell(one)
            assert one.stdout
            assert one.stdout.readline() == "done\n"

        found = clock.seconds()

    assert found["gateway"] > found["haproxy"] + 0.3
    assert set(found) == {"gateway", "haproxy"}


def test_a_process_that_ended_makes_the_measurement_worthless() -> None:
    with process(0) as one:
        clock = CpuClock({"gateway-1": one.pid})
        one.kill()
        one.wait()

        with pytest.raises(psutil.NoSuchProcess):
            clock.seconds()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("gateway-12", "gateway"), ("hbase-thrift", "hbase"), ("ingest", "ingest")],
)
def test_replicas_are_of_one_kind(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_answers_are_counted_as_the_gateway_counts_them() -> None:
    metrics = new_metrics()
    for source, degraded, count in (("stored", False, 3), ("popular", True, 2)):
        for _ in range(count):
            metrics.answers[source, degraded].inc()

    found = answers_in(metrics.exposition().decode())

    assert found == {("stored", "false"): 3, ("popular", "true"): 2}
