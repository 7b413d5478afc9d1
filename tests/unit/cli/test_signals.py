"""A command that a service manager stops, or whose terminal is closed, ends in order."""

import os
import signal
from collections.abc import Iterator

import pytest

from cli import app as command_line
from cli.import_run import _interruptible
from recsys.importing.bulk_writer import Tally

ENDED: list[str] = []


@pytest.fixture(autouse=True)
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands that get the signal that their argument names."""
    for name in ("stopped", "stopped_import"):
        monkeypatch.setitem(command_line.COMMANDS, name, (f"{__name__}:{name}", "Stopped."))
    yield
    ENDED.clear()


def stopped(number: int) -> None:
    try:
        os.kill(os.getpid(), number)
    finally:
        ENDED.append("in order")


def stopped_import(number: int) -> None:
    with _interruptible(Tally()):
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_in_order_and_its_exit_code_says_so(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(number, usual)
    monkeypatch.setattr("sys.argv", ["recsys", "stopped", str(int(number))])
    try:
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        assert signal.getsignal(number) is usual
    finally:
        signal.signal(number, before)

    assert ended.value.code == 128 + number
    assert ENDED == ["in order"]
    assert f"stopped by {number.name}: running it again is safe" in capsys.readouterr().err


def test_a_signal_that_nohup_has_ignored_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    monkeypatch.setattr("sys.argv", ["recsys", "stopped", str(int(signal.SIGHUP))])
    try:
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    finally:
        signal.signal(signal.SIGHUP, before)

    assert not ended.value.code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["stopped", "stopped_import"])
def test_what_stopped_a_command_is_said_in_one_line(
    number: signal.Signals,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["recsys", name, str(int(number))])
    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(number, usual)
    try:
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    finally:
        signal.signal(number, before)

    assert ended.value.code == 128 + number
    assert len(capsys.readouterr().err.splitlines()) == 1
