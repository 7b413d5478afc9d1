"""Files of sequences, and what is none."""

import gzip
from pathlib import Path

import pytest

from benchmarks.bench_sequences import sequences_of


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_is_a_user_and_items(tmp_path: Path, packed: bool) -> None:
    text = b"1 5 6 7\n2 6 5 8 9\n"
    path = tmp_path / ("beauty.txt.gz" if packed else "beauty.txt")
    path.write_bytes(gzip.compress(text) if packed else text)

    assert sequences_of(path) == [["5", "6", "7"], ["6", "5", "8", "9"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"user_id,item_id\nu,i\n", "line 1: expected a user and 3 items or more"),
        (b"1 5 6 7\n\n", "line 2: expected"),
        (b"1 5 6 7\n2 5 6\n", "line 2: expected"),
        (b"", "has no line"),
        (b"\xff\xfe1 2 3", "cannot be read"),
    ],
)
def test_another_format_is_told_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)

    with pytest.raises(SystemExit, match=words):
        sequences_of(path)


def test_a_file_that_is_not_there_or_not_packed_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"1 5 6 7\n")

    for name in ("none.txt", "a.gz"):
        with pytest.raises(SystemExit, match="cannot be read"):
            sequences_of(tmp_path / name)
