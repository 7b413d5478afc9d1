import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from infra.local.errors import StartError
from infra.local.processes import leftovers
from infra.local.processes.logs import tail
from infra.local.processes.program import Program
from infra.local.processes.progress import Reporter
from infra.local.processes.readiness import await_ready, reason_unready
from infra.local.processes.status import NOT_STARTED, ProcessStatus, as_table, is_healthy, problems
from infra.local.processes.supervision import ProcessInfo, Supervisor
from infra.local.settings import Settings


@dataclass(frozen=True)
class InMemorySupervisor(Supervisor):
    """Knows one program, in one state."""

    state: str = "RUNNING"
    infos: dict[str, ProcessInfo] = field(default_factory=dict)

    def processes(self) -> dict[str, ProcessInfo]:
        return {"p": ProcessInfo("p", self.state, 1, 1, "exit status 3")}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings.load("main", {}, tmp_path)
    settings.logs.mkdir(parents=True)
    (settings.logs / "p.log").write_text("line\n" * 50 + "the cause\n", encoding="utf-8")
    return settings


def never() -> None:
    raise ConnectionRefusedError("nobody there\nmore")


def program(probe: object, ready_seconds: int = 0) -> Program:
    return Program("p", "stores", ("true",), (), probe, ready_seconds=ready_seconds)  # type: ignore[arg-type]


def wait(settings: Settings, program: Program, state: str = "RUNNING") -> None:
    await_ready(settings, InMemorySupervisor(settings, state), [program], Reporter(quiet=True))


def test_waiting_ends_when_the_probe_passes(settings: Settings) -> None:
    attempts: Iterator[bool] = iter([False, False, True])

    def third_time() -> None:
        if not next(attempts):
            never()

    wait(settings, program(third_time, ready_seconds=5))


def test_waiting_is_bounded_and_shows_reason_and_log(settings: Settings) -> None:
    with pytest.raises(StartError) as caught:
        wait(settings, program(never))
    for part in ("p: not ready", "ConnectionRefusedError: nobody there", "the cause"):
        assert part in str(caught.value)


def test_a_dead_program_is_not_waited_for(settings: Settings) -> None:
    with pytest.raises(StartError, match=r"ends at once \(exit status 3\)"):
        wait(settings, program(never, ready_seconds=60), state="FATAL")


def test_a_reason_is_one_line() -> None:
    assert reason_unready(never) == "ConnectionRefusedError: nobody there"
    assert reason_unready(lambda: None) is None


def test_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    assert tail(path) == "(empty)"
    path.write_bytes(b"\xff" + b"x\n" * 100_000 + b"last")
    assert tail(path, lines=2) == "x\nlast"


GOOD = ProcessStatus("a", "RUNNING", "1", pid=os.getpid(), started_at=100)
BAD = ProcessStatus("b", "RUNNING", "2", pid=2**30, started_at=100, problem="no answer")
IDLE = ProcessStatus("c", NOT_STARTED, "3")
EXTERNAL = ProcessStatus("redis", "external", "redis://x")


@pytest.mark.parametrize(
    ("rows", "healthy"),
    [
        ([GOOD, IDLE], True),
        ([GOOD, EXTERNAL], True),
        ([GOOD, BAD], False),
        ([IDLE, EXTERNAL], False),
        ([], False),
    ],
)
def test_healthy_is_when_something_runs_and_nothing_fails(
    rows: list[ProcessStatus], healthy: bool
) -> None:
    assert is_healthy(rows) is healthy


def test_the_table_fits_a_terminal_and_sums_the_memory() -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(as_table([GOOD, BAD, IDLE], now=160))
    text = console.export_text()
    for part in ("0:01:00", "failing", "not started", "total"):
        assert part in text
    assert problems([GOOD, BAD, IDLE]) == ["b (2): no answer"]


def test_leftovers_are_found_by_their_mark_and_ended(settings: Settings) -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_DFL); print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=leftovers.marked_environment(settings),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert [found.pid for found in leftovers.find(settings)] == [process.pid]
        assert leftovers.end(settings) == []
        assert leftovers.find(settings) == []
