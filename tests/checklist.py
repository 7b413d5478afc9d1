"""Run the tests that checklist.toml names, and print which rows of it work: `make checklist`."""

import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import pytest
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_REPOSITORY = Path(__file__).parents[1]
_ROWS = Path(__file__).with_name("checklist.toml")
# Where the output is no terminal, whose width is unknown: most names of tests fit.
_LOG_WIDTH = 180
_COLOURS = {"works": "green", "partly": "yellow", "skipped": "yellow", "not done": "dim"}


@dataclass(frozen=True)
class Row:
    """What a shop expects of a recommender, with the tests that show it or what is missing.

    Attributes:
        tests: ids of pytest without parameters; the row works where all of them pass.
        but: what the tests do not show.
        open: why there is no test.

    Raises:
        ValueError: unless there are either tests or a reason why not.
    """

    number: int
    expects: str
    tests: Sequence[str] = ()
    but: str = ""
    open: str = ""

    def __post_init__(self) -> None:
        if bool(self.tests) == bool(self.open) or (self.but and self.open):
            raise ValueError(f"row {self.number} needs either tests or open; but goes with tests")


class Outcome(IntEnum):
    """Of a test, from best to worst: that of its worst case counts."""

    PASSED = 0
    SKIPPED = 1
    NOT_RUN = 2
    FAILED = 3


# By identity, since pytest keeps plugins in sets.
@dataclass(eq=False)
class Outcomes:
    """A plugin of pytest that keeps the outcome of each test over all its parameters."""

    of_test: dict[str, Outcome] = field(default_factory=dict)
    skipped_because: dict[str, str] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = report.nodeid.partition("[")[0]
        outcome = Outcome[report.outcome.upper()]
        self.of_test[test] = max(outcome, self.of_test.get(test, Outcome.PASSED))
        if outcome is Outcome.SKIPPED and isinstance(report.longrepr, tuple):
            self.skipped_because[test] = report.longrepr[2].removeprefix("Skipped: ")


def load_rows() -> list[Row]:
    return [Row(**row) for row in tomllib.loads(_ROWS.read_text("utf-8"))["row"]]


def missing_tests(rows: Iterable[Row]) -> list[str]:
    """List the named tests that no file has; files are parsed, which is quicker than to collect."""
    tests = sorted({test for row in rows for test in row.tests})
    return [test for test in tests if test not in _tests_of(test.partition("::")[0])]


def _tests_of(path: str) -> set[str]:
    file = _REPOSITORY / path
    if not file.is_file():
        return set()
    return {
        f"{path}::{node.name}"
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


def state_of(row: Row, outcomes: Outcomes) -> tuple[str, str]:
    """Return works, partly, skipped, FAILED, not run or not done, and why."""
    if row.open:
        return "not done", row.open
    found = {test: outcomes.of_test.get(test, Outcome.NOT_RUN) for test in row.tests}
    match max(found.values()):
        case Outcome.FAILED:
            return "FAILED", ""
        case Outcome.NOT_RUN:
            return "not run", ""
        case Outcome.SKIPPED:
            return "skipped", next(map(outcomes.skipped_because.get, _skipped(found))) or ""
    return ("partly", row.but) if row.but else ("works", "")


def _skipped(found: Mapping[str, Outcome]) -> Iterable[str]:
    return (test for test, outcome in found.items() if outcome is Outcome.SKIPPED)


def main() -> int:
    """Return 0 where every named test exists and none failed."""
    rows = load_rows()
    if missing := missing_tests(rows):
        print("tests/checklist.toml names tests that are not there:", *missing, sep="\n  ")
        return 1
    outcomes = Outcomes()
    # By file: fixtures of a module are made once.
    tests = sorted({test for row in rows for test in row.tests})
    code = pytest.main(["-q", *tests], plugins=[outcomes])
    _show(rows, outcomes)
    return int(code)


def _show(rows: Sequence[Row], outcomes: Outcomes) -> None:
    table = Table("row", "a shop expects", "state", show_lines=True)
    # So that a name can be copied whole.
    table.add_column("shown by", overflow="fold")
    states = Counter[str]()
    for row in rows:
        state, reason = state_of(row, outcomes)
        states[state] += 1
        shown = f"[{_COLOURS.get(state, 'red')}]{state}[/]{': ' if reason else ''}{escape(reason)}"
        table.add_row(str(row.number), escape(row.expects), shown, escape("\n".join(row.tests)))
    console = Console(width=None if sys.stdout.isatty() else _LOG_WIDTH)
    console.print(table)
    counted = ", ".join(f"{count} {state}" for state, count in states.most_common())
    console.print(f"{len(rows)} rows: {counted}")


if __name__ == "__main__":
    sys.exit(main())
