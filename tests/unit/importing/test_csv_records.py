"""Records of CSV text: what a writer wrote comes back, and noise costs no other line."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.importing import text_lines
from recsys.importing.csv_records import RecordFinder
from recsys.importing.csv_source import CsvSource

# Lines of one field that are rows by themselves are the one thing that cannot be told from rows.
_FIELD = st.one_of(st.text('a", 5é;', max_size=6), st.text('a"\n 5é;', max_size=6))
_ROWS = st.lists(st.tuples(st.text("xyz", min_size=1, max_size=3), _FIELD, _FIELD), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=_ROWS,
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    block=st.sampled_from([20, 4096]),
)
def test_what_was_written_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, ...]], quoting: int,
    block: int,
) -> None:  # fmt: skip
    rows = [(key, *(f"{text} ." for text in texts)) for key, *texts in rows]
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerows([("id", "a", "b"), *rows])
    (tmp_path / "a.csv").write_text(written.getvalue(), newline="")
    monkeypatch.setattr(text_lines, "BLOCK_BYTES", block)

    found = [
        (line, values)
        for batch in CsvSource(tmp_path / "a.csv").batches()
        for line, values in batch.rows()
    ]

    assert [tuple(values.values()) for _, values in found] == rows
    lines = np.cumsum([2, *(1 + "".join(row).count("\n") for row in rows)])
    assert [line for line, _ in found] == lines[: len(rows)].tolist()


@given(st.text('a",\n', max_size=40))
def test_quotes_that_enclose_fields_are_told_alike_in_both_ways(noise: str) -> None:
    finder = RecordFinder(",", 2, with_quotes=True)
    text = np.frombuffer(f"{noise}\n".encode(), np.uint8)
    starts = np.concatenate([[0], np.flatnonzero(text == ord("\n")) + 1])

    assert finder._all_enclose(text) == (not finder._has_odd_quotes(text, starts).any())


@given(st.lists(st.text('ab",', max_size=8), max_size=8))
def test_a_line_without_quotes_is_never_lost_beside_a_quote_that_is_not_closed(
    noise: list[str],
) -> None:
    """Lines that are rows by themselves stay rows, whatever a quote before them leaves open."""
    lines = [line for each in noise for line in (f'k,"{each}x', "plain,row,9")]
    data = "".join(f"{line}\n" for line in lines).encode()

    found = RecordFinder(",", 3, with_quotes=True).find(data, 1, is_last=True)

    plain = [number for number, line in enumerate(lines, start=1) if line == "plain,row,9"]
    assert set(plain) <= set(found.lines.tolist())
