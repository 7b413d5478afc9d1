"""`recsys shops log`: which settings held since when, from what services have logged."""

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from cli.shops import app
from recsys.config.shops import Shops
from recsys.core.errors import NotFound

_SETTINGS = """
[placements.home]
generators = ["for_you", "popular"]
[limits]
requests_per_second = {rate}
[[rules]]
name = "sale"
placements = ["home"]
action = "boost"
filter = "price < 5"
weight = {weight}
[[experiments]]
name = "mixed"
placements = ["home"]
enabled = {running}
variants = [{{ name = "a" }}, {{ name = "b" }}]
"""
FIRST = _SETTINGS.format(rate=10, weight=2, running="true")
HEAVIER = _SETTINGS.format(rate=10, weight=3, running="true")
STOPPED = _SETTINGS.format(rate=20, weight=3, running="false")


class Processes:
    """Services that follow a folder, and the lines that they have logged."""

    def __init__(self, folder: Path, *names: str) -> None:
        self._folder = folder
        self._now = 0.0
        self.lines = list[str]()
        self._shops = dict[str, Shops]()
        for name in names:
            with self._logging(name):
                self._shops[name] = Shops(folder, lambda: None, lambda: self._now)

    def write(self, text: str) -> None:
        """Another file, which each process takes in turn."""
        draft = self._folder / "books.draft"
        draft.write_text(text)
        draft.replace(self._folder / "books.toml")
        self._now += 2
        for name, shops in self._shops.items():
            with self._logging(name):
                shops.of("books")

    def _logging(self, name: str) -> "_Log":
        return _Log(self.lines, name)


class _Log:
    """Adds what is logged meanwhile, as a process of this name writes it."""

    def __init__(self, lines: list[str], name: str) -> None:
        self._lines, self._name, self._captured = lines, name, capture_logs()

    def __enter__(self) -> None:
        self._logs = self._captured.__enter__()

    def __exit__(self, *error: object) -> None:
        self._captured.__exit__(None, None, None)
        for line in self._logs:
            time = f"2026-11-27T10:00:{len(self._lines):02}.0Z"
            origin = {"service": "gateway", "instance": self._name, "timestamp": time}
            self._lines.append(json.dumps(origin | line))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "books.toml").write_text(FIRST)
    return tmp_path


def log(lines: list[str], *options: str) -> Result:
    return CliRunner().invoke(app, ["log", "-", *options], input="\n".join(lines))


def test_what_held_is_there_once_with_what_changed_and_who_took_it(folder: Path) -> None:
    processes = Processes(folder, "g1", "g2")
    processes.write(HEAVIER)
    processes.write(STOPPED)
    result = log(["no JSON", *processes.lines, '{"event": "request", "tenant": "books"}'])
    assert result.exit_code == 0, result.output
    shown = result.output.splitlines()
    heads = [line for line in shown if not line.startswith(" ")]
    assert len(heads) == 3
    assert heads[0].startswith("2026-11-27T10:00:00.0Z  books  ")
    assert heads[0].endswith(": there at a start")
    assert heads[1].endswith(": rules")
    assert heads[2].endswith(": experiments, limits")
    assert f"of {folder.owner()}, written 20" in heads[1]
    assert shown.count("    taken by gateway on g1, gateway on g2") == 3
    [went] = [line for line in shown if line.startswith("    - rule sale: ")]
    [came] = [line for line in shown if line.startswith("    + rule sale: ")]
    assert '"weight": 2.0' in went
    assert '"weight": 3.0' in came
    [stopped] = [line for line in shown if line.startswith("    + experiment mixed: ")]
    assert '"is_running": false' in stopped


def test_a_damaged_line_of_a_log_hides_no_other(folder: Path, tmp_path: Path) -> None:
    [line] = Processes(folder, "g1").lines
    (tmp_path / "g1.log").write_bytes(b'{"event": "\xff\xfe\n' + line.encode())
    result = CliRunner().invoke(app, ["log", str(tmp_path / "g1.log")])
    assert result.exit_code == 0, result.output
    assert "there at a start" in result.output


def test_a_file_that_comes_back_and_a_process_that_begins_again_are_told_apart(
    folder: Path,
) -> None:
    processes = Processes(folder, "g1")
    processes.write(HEAVIER)
    processes.write(FIRST)
    again = Processes(folder, "g1")
    for line in again.lines:
        processes.lines.append(line.replace("T10:", "T11:"))
    heads = [line for line in log(processes.lines).output.splitlines() if line[0] != " "]
    digests = [line.split()[2] for line in heads]
    assert digests == [digests[0], digests[1], digests[0]]


def test_a_process_that_begins_with_a_change_does_not_hide_what_it_was(folder: Path) -> None:
    processes = Processes(folder, "g1")
    processes.write(HEAVIER)
    # Before the other one has looked at the file again.
    begun = [line.replace(":00.0Z", ":00.5Z") for line in Processes(folder, "g2").lines]
    shown = log([*begun, *processes.lines]).output.splitlines()
    heads = [line for line in shown if line[0] != " "]
    assert [head.rpartition(": ")[2] for head in heads] == ["there at a start", "rules"]
    assert "    taken by gateway on g1, gateway on g2" in shown


def test_a_file_that_was_written_again_changes_no_setting(folder: Path) -> None:
    processes = Processes(folder, "g1")
    processes.write(f"# reviewed\n{FIRST}")
    assert ": no setting\n" in log(processes.lines).output


def test_shops_are_told_apart(folder: Path) -> None:
    (folder / "shoes.toml").write_text(FIRST)
    lines = Processes(folder, "g1").lines
    assert "shoes" in log(lines).output
    assert "shoes" not in log(lines, "--tenant", "books").output
    nothing = log(lines, "--tenant", "hats")
    assert isinstance(nothing.exception, NotFound)
