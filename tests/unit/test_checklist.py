"""Every row of the checklist is there once, and works only where all of its tests pass."""

from pathlib import Path
from typing import Literal

import pytest

from tests.checklist import Outcome, Outcomes, Row, load_rows, missing_tests, state_of

TEST = "tests/unit/test_checklist.py::test_each_row_is_there_once"
OTHER = "tests/unit/test_checklist.py::test_every_named_test_exists"
ROW = Row(1, "all of it", [TEST, OTHER])


def test_each_row_is_there_once() -> None:
    numbers = [*range(1, 38), 49, *range(52, 55), 56, *range(59, 72)]
    assert [row.number for row in load_rows()] == numbers


def test_the_readme_says_how_many_rows_there_are() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    assert f"# {len(load_rows())} things that a shop expects" in readme.read_text("utf-8")


def test_every_named_test_exists() -> None:
    assert missing_tests(load_rows()) == []


def test_a_test_that_does_not_exist_is_named() -> None:
    missing = ["tests/unit/test_checklist.py::test_nothing", "tests/unit/test_nothing.py::test_it"]
    assert missing_tests([ROW, Row(2, "what nobody tests", missing)]) == missing


@pytest.mark.parametrize(
    ("of_other", "state"),
    [
        (Outcome.PASSED, "works"),
        (Outcome.SKIPPED, "skipped"),
        (Outcome.NOT_RUN, "not run"),
        (Outcome.FAILED, "FAILED"),
    ],
)
def test_a_row_is_as_good_as_the_worst_of_its_tests(of_other: Outcome, state: str) -> None:
    outcomes = Outcomes({TEST: Outcome.PASSED, OTHER: of_other}, {OTHER: "no browser"})
    assert state_of(ROW, outcomes) == (state, "no browser" if state == "skipped" else "")


def test_what_is_missing_is_said_beside_what_passes() -> None:
    passed = Outcomes({TEST: Outcome.PASSED})
    assert state_of(Row(1, "most of it", [TEST], but="not all"), passed) == ("partly", "not all")
    assert state_of(Row(2, "none of it", open="nobody made it"), passed) == (
        "not done",
        "nobody made it",
    )


@pytest.mark.parametrize("fields", [{}, {"tests": [TEST], "open": "x"}, {"open": "x", "but": "y"}])
def test_a_row_has_tests_or_a_reason_why_not(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="row 1 needs either"):
        Row(1, "something", **fields)


@pytest.mark.parametrize("last", ["skipped", "passed"])
def test_the_worst_case_of_a_parametrised_test_counts(last: Literal["skipped", "passed"]) -> None:
    outcomes = Outcomes()
    for case, outcome in (("a", "passed"), ("b", "failed"), ("c", last)):
        location = ("test_checklist.py", 1, "test")
        report = pytest.TestReport(f"{TEST}[{case}]", location, {}, outcome, None, "call")  # type: ignore[arg-type]
        outcomes.pytest_runtest_logreport(report)
    assert outcomes.of_test == {TEST: Outcome.FAILED}
