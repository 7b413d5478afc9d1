"""What an import says on its way, where nobody watches a bar."""

from pathlib import Path

import pytest

from cli.import_progress import progress_lines, report
from recsys.importing.bulk_writer import Tally
from recsys.importing.importer import ImportOutcome


def test_a_log_is_told_how_far_the_file_is(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    observe = progress_lines("events of year.parquet", 4_000, tally, every_seconds=0)

    for position in (1_000, 3_000):
        tally.stored = position * 1_000
        observe(position)

    assert capsys.readouterr().err.splitlines() == [
        "events of year.parquet: 25%, 1,000,000 rows",
        "events of year.parquet: 75%, 3,000,000 rows",
    ]


def test_a_stream_of_unknown_size_is_told_by_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    observe = progress_lines("events of -", 0, Tally(stored=5_000), every_seconds=0)

    observe(1)

    assert capsys.readouterr().err == "events of -: 5,000 rows\n"


def test_lines_are_far_apart(capsys: pytest.CaptureFixture[str]) -> None:
    observe = progress_lines("events of year.parquet", 2, Tally())

    observe(1)
    observe(2)

    assert not capsys.readouterr().err


def test_a_file_without_rows_is_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    def reported(tally: Tally) -> str:
        report(ImportOutcome(Path("orders.csv"), "events", tally, 0.1, Path("rejects"), 0.5))
        return capsys.readouterr().err

    assert "  the file has no rows: is the export whole?\n" in reported(Tally())
    assert "has no rows" not in reported(Tally(read=1, stored=1))


def test_one_is_told_in_the_singular(capsys: pytest.CaptureFixture[str]) -> None:
    def reported(kind: str, stored: int) -> str:
        tally = Tally(read=stored, stored=stored)
        report(ImportOutcome(Path("orders.csv"), kind, tally, 0.1, Path("rejects"), 0.5))
        return capsys.readouterr().err

    assert "1 row read" in reported("events", 1)
    assert reported("events", 1).endswith(", 1 event stored\n")
    assert reported("items", 1).endswith(", 1 item stored\n")
    assert reported("events", 2).endswith(", 2 events stored\n")
