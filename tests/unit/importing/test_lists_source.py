"""Files with a user and then their items on each line."""

import gzip
from pathlib import Path

import pytest

from recsys.core.errors import ConfigurationError
from recsys.importing import text_lines
from recsys.importing.file_format import open_source
from recsys.importing.read_options import FileFormat, ReadOptions
from tests.unit.importing.test_sources import read, write


def test_each_item_is_a_row_with_its_position(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt", b"0 5 3\n1\n\n2  5\tcaf\xc3\xa9 5 \n")

    rows, bad = read(path, file_format=FileFormat.LISTS)

    assert bad == []
    assert [(line, *row.values()) for line, row in rows] == [
        (1, "0", "5", 1),
        (1, "0", "3", 2),
        (4, "2", "5", 1),
        (4, "2", "café", 2),
        (4, "2", "5", 3),
    ]


def test_a_delimiter_can_be_told(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt", b"ann, white mug,tea\n")
    rows, _ = read(path, file_format=FileFormat.LISTS, delimiter=",")
    assert [tuple(row.values()) for _, row in rows] == [
        ("ann", "white mug", 1),
        ("ann", "tea", 2),
    ]


def test_a_packed_file_of_many_blocks_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_lines, "BLOCK_BYTES", 100)
    content = b"".join(b"u%d i%d j%d\n" % (n, n, n) for n in range(500))
    path = write(tmp_path / "train.txt.gz", gzip.compress(content))

    rows, bad = read(path, file_format=FileFormat.LISTS)

    assert bad == []
    assert [(line, row["user_id"], row["item_id"]) for line, row in rows] == [
        (n + 1, f"u{n}", f"{letter}{n}") for n in range(500) for letter in "ij"
    ]


def test_a_line_that_cannot_be_read_spoils_no_other(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt", b"0 1\n\xff 2\n3 4\n")
    rows, bad = read(path, file_format=FileFormat.LISTS)
    assert [(line, row["user_id"]) for line, row in rows] == [(1, "0"), (3, "3")]
    assert [row.line for row in bad] == [2]


@pytest.mark.parametrize("content", [b"", b"0\n1\n", b"a,b,c\n"])
def test_a_file_without_any_list_is_refused(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "train.txt", content)
    options = ReadOptions(file_format=FileFormat.LISTS)
    with pytest.raises(ConfigurationError, match="no line has a user and their items"):
        open_source(path, options).columns()


def test_only_wanted_columns_are_made(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt", b"0 5 3\n")
    [batch] = open_source(path, ReadOptions(file_format=FileFormat.LISTS)).batches(["item_id"])
    assert list(batch.columns) == ["item_id"]
    assert batch.raw(1) == {"user_id": "0", "item_id": "3", "position": 2}


def test_an_unknown_ending_tells_of_this_format(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt", b"0 5 3\n")
    with pytest.raises(ConfigurationError, match="lists where a line is a user"):
        open_source(path, ReadOptions())
