import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from recsys.core.errors import Unavailable
from recsys.runtime.logging import configure_logging


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_ours_and_the_libraries_lines_have_one_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("gateway", "2", "info")
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("thing_happened", count=1)
        logging.getLogger("some.library").warning("spoke %s", "up")
    ours, theirs = lines(capsys)
    assert (ours["event"], ours["count"]) == ("thing_happened", 1)
    assert (theirs["event"], theirs["level"]) == ("spoke up", "warning")
    for line in (ours, theirs):
        assert line["timestamp"]
        assert (line["service"], line["instance"], line["request_id"]) == ("gateway", "2", "r1")


def test_the_level_holds(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("gateway", "1", "warning")
    structlog.get_logger().info("unimportant")
    logging.getLogger("some.library").info("unimportant")
    assert lines(capsys) == []


def test_a_traceback_stays_on_its_line_and_shows_no_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("gateway", "1", "info")

    def fail(secret: str) -> None:
        raise ValueError(len(secret))

    try:
        fail("hunter" + "2")
    except ValueError:
        structlog.get_logger().exception("thing_failed")
    [line] = lines(capsys)
    assert "Traceback" in str(line["exception"])
    assert "hunter2" not in str(line)


def fail_with(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("logger", ["ours", "a library's"])
def test_what_an_exception_quotes_stays_out_of_the_log(
    capsys: pytest.CaptureFixture[str], logger: str
) -> None:
    configure_logging("gateway", "1", "info")
    # Not as a whole: tracebacks quote the source.
    shopper = "very-" + "secret"
    try:
        try:
            fail_with(KeyError(shopper))
        except KeyError as error:
            raise ExceptionGroup(shopper, [ValueError(shopper)]) from error
    except ExceptionGroup:
        if logger == "ours":
            structlog.get_logger().exception("thing_failed")
        else:
            logging.getLogger("some.library").exception("thing failed")
    [line] = lines(capsys)
    said = str(line["exception"])
    assert [name for name in ("KeyError", "ExceptionGroup", "ValueError") if name not in said] == []
    assert "in fail_with" in said
    assert shopper not in said


def test_what_we_or_the_system_say_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("gateway", "1", "info")
    for error in (Unavailable("hbase", "asleep"), ConnectionRefusedError("nobody listens")):
        try:
            fail_with(error)
        except Exception:
            structlog.get_logger().exception("thing_failed")
    ours, theirs = lines(capsys)
    assert "hbase is unavailable: asleep" in str(ours["exception"])
    assert "nobody listens" in str(theirs["exception"])


class BrokenPipe:
    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_nobody_fails_because_nobody_reads_the_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    configure_logging("gateway", "1", "info")
    monkeypatch.setattr("sys.stdout", BrokenPipe())
    structlog.get_logger().info("thing_happened")
