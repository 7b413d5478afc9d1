"""A real supervisord over programs that only sleep."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from infra.local.errors import StackError, StartError
from infra.local.processes import leftovers
from infra.local.processes.preflight import make_folders
from infra.local.processes.program import Program
from infra.local.processes.supervision import ProcessInfo, Supervisor, log_file, render
from infra.local.servers.templates import write
from infra.local.settings import Settings
from infra.local.stack import Stack
from tests.eventually import eventually


def sleeper(name: str, tier: str = "stores", script: str = "sleep 60 & wait") -> Program:
    command = ("sh", "-c", script)
    return Program(name, tier, command, (), lambda: None, stable_seconds=0, stop_seconds=2)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    # Socket paths must be short, which pytest's folders are not.
    with TemporaryDirectory() as run_dir:
        settings = replace(Settings.load("main", {}, tmp_path), run_dir=Path(run_dir))
        make_folders(settings)
        yield settings
        assert leftovers.end(settings) == []


def launch(settings: Settings, *programs: Program) -> Supervisor:
    supervisor = Supervisor(settings)
    write(supervisor.config, render(settings, programs))
    supervisor.launch()
    supervisor.start(programs)
    eventually(lambda: all(info.pid for info in supervisor.processes().values()))
    return supervisor


def info(supervisor: Supervisor, name: str) -> ProcessInfo:
    return supervisor.processes()[name]


def test_a_killed_program_is_started_again(settings: Settings) -> None:
    supervisor = launch(settings, sleeper("a"))
    first = info(supervisor, "a").pid
    Stack(settings).kill("a")
    eventually(lambda: info(supervisor, "a").pid not in (0, first))


def test_shutdown_leaves_no_process_not_even_grandchildren(settings: Settings) -> None:
    supervisor = launch(settings, sleeper("a"), sleeper("b", "edge"))
    # supervisord, two shells, two sleeps
    eventually(lambda: len(leftovers.find(settings)) == 5)
    supervisor.shutdown()
    eventually(lambda: not leftovers.find(settings))
    assert not supervisor.is_running()
    assert supervisor.processes() == {}


def test_starting_and_stopping_twice_is_harmless(settings: Settings) -> None:
    program = sleeper("a")
    supervisor = launch(settings, program)
    pid = info(supervisor, "a").pid
    supervisor.start([program])
    assert info(supervisor, "a").pid == pid
    for _ in range(2):
        supervisor.stop([program])
    assert info(supervisor, "a").state == "STOPPED"


def test_a_changed_program_is_replaced_and_the_others_go_on(settings: Settings) -> None:
    kept, changed = sleeper("a"), sleeper("b", "edge")
    supervisor = launch(settings, kept, changed)
    before = {name: info(supervisor, name).pid for name in "ab"}
    changed = replace(changed, command=("sleep", "50"))
    write(supervisor.config, render(settings, [kept, changed]))
    supervisor.update()
    supervisor.start([kept, changed])
    assert info(supervisor, "a").pid == before["a"]
    eventually(lambda: info(supervisor, "b").pid not in (0, before["b"]))


def test_what_a_killed_supervisord_left_is_ended_and_a_new_one_starts(settings: Settings) -> None:
    supervisor = launch(settings, sleeper("a"))
    os.kill(int((settings.run_dir / "supervisord.pid").read_text()), signal.SIGKILL)
    eventually(lambda: not supervisor.is_running())
    assert supervisor.socket.exists()  # stale
    # A process that is just becoming its program has no environment to know it by.
    eventually(lambda: leftovers.find(settings))
    assert leftovers.end(settings) == []
    supervisor.launch()
    assert supervisor.is_running()


def test_output_lands_in_the_programs_log(settings: Settings) -> None:
    launch(settings, sleeper("a", script="echo out; echo err >&2; sleep 60"))
    log = log_file(settings, "a")
    eventually(lambda: log.exists() and log.read_text() == "out\nerr\n")


def test_a_broken_configuration_is_told(settings: Settings) -> None:
    write(Supervisor(settings).config, "[supervisord]\nminfds = many\n")
    with pytest.raises(StartError, match=r"supervisord did not start: .*many"):
        Supervisor(settings).launch()


def test_what_does_not_run_cannot_be_killed(settings: Settings) -> None:
    with pytest.raises(StackError, match="a does not run"):
        Stack(settings).kill("a")


def test_down_of_a_stack_that_never_was_does_nothing(tmp_path: Path) -> None:
    settings = Settings.load("main", {}, tmp_path)
    Stack(settings).down()
    assert not settings.home.exists()
