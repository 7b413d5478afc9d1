"""Files in their formats: rows with line numbers, bad ones apart."""

import bz2
import gzip
import json
import lzma
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.errors import ConfigurationError, DamagedFile
from recsys.importing import text_lines
from recsys.importing.file_format import open_source
from recsys.importing.opened_file import open_content
from recsys.importing.read_options import FileFormat, ReadOptions
from recsys.importing.source import BadRow


def read(path: Path, **options: Any) -> tuple[list[tuple[int, dict[str, Any]]], list[BadRow]]:
    batches = list(open_source(path, ReadOptions(**options)).batches())
    return (
        [row for batch in batches for row in batch.rows()],
        [bad for batch in batches for bad in batch.bad],
    )


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_csv_rows_carry_the_line_they_begin_at(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b'id,title\n1,"two\nlines"\n\n2,x\n')

    rows, bad = read(path)

    assert rows == [(2, {"id": "1", "title": "two\nlines"}), (5, {"id": "2", "title": "x"})]
    assert bad == []


def test_a_csv_row_with_other_fields_than_the_header_is_set_aside(tmp_path: Path) -> None:
    rows, bad = read(write(tmp_path / "a.csv", b"id,title\n1\n2,b\n3,c,d\n"))

    assert [line for line, _ in rows] == [3]
    assert bad == [
        (2, "has 1 field, the header has 2", ["1"]),
        (4, "has 3 fields, the header has 2", ["3", "c", "d"]),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_header(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path / "a.csv", f"\ufeffid{delimiter}name\n1{delimiter}x\n".encode())

    assert open_source(path, ReadOptions()).columns() == ["id", "name"]
    assert read(path)[0] == [(2, {"id": "1", "name": "x"})]


def test_bytes_that_are_not_utf8_spoil_one_row_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"id\nM\xfcller\nok\n")

    rows, bad = read(path)

    assert rows == [(3, {"id": "ok"})]
    assert [(row.line, row.reason) for row in bad] == [
        (2, "is not UTF-8: say --encoding, for example cp1252")
    ]
    assert read(path, encoding="cp1252")[0][0] == (2, {"id": "Müller"})


def test_a_field_too_long_spoils_one_row_only(tmp_path: Path) -> None:
    rows, bad = read(write(tmp_path / "a.csv", b"id\n" + b"x" * 1_200_000 + b"\nok\n"))

    assert [values["id"] for _, values in rows] == ["ok"]
    assert bad[0].reason == "is longer than 1,000,000 bytes"


@pytest.mark.parametrize("members", [[], ["folder/"]])
def test_a_zip_without_a_file_is_told(tmp_path: Path, members: list[str]) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        for name in members:
            archive.writestr(name, "")

    with (
        pytest.raises(ConfigurationError, match="holds no file: is the export whole"),
        open_content(tmp_path / "a.csv.zip"),
    ):
        pass


def test_a_gzipped_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", gzip.compress(b"id\n1\n"))

    assert read(path)[0] == [(2, {"id": "1"})]


def test_an_empty_csv_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no header line"):
        read(write(tmp_path / "a.csv", b""))


def test_jsonl_lines_that_are_no_objects_are_set_aside(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b'{"id": "1"}\n\n{"id": \n[1]\n{"id": "2"}')

    rows, bad = read(path)

    assert rows == [(1, {"id": "1"}), (5, {"id": "2"})]
    assert [(row.line, row.reason.partition(":")[0]) for row in bad] == [
        (3, "is not valid JSON"),
        (4, "is not a JSON object"),
    ]


def test_a_jsonl_line_without_end_is_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_lines, "MAX_LINE_BYTES", 20)
    monkeypatch.setattr(text_lines, "BLOCK_BYTES", 30)
    path = write(tmp_path / "a.jsonl", b'{"id": "' + b"x" * 100 + b'"}\n{"id": "2"}\n')

    rows, bad = read(path)

    assert rows == [(2, {"id": "2"})]
    assert bad[0].line == 1
    assert "longer than" in bad[0].reason


def test_deeply_nested_json_spoils_one_row_only(tmp_path: Path) -> None:
    rows, bad = read(write(tmp_path / "a.jsonl", b"[" * 100_000 + b'\n{"id": "2"}\n'))

    assert [line for line, _ in rows] == [2]
    assert bad[0].line == 1


def test_columns_of_jsonl_are_the_keys_of_its_first_objects(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", b'{"a": 1}\n{"b": 1, "a": 2}\n')

    assert open_source(path, ReadOptions()).columns() == ["a", "b"]


def test_parquet_rows_are_numbered_from_one(tmp_path: Path) -> None:
    moment = datetime(2011, 1, 1)
    pq.write_table(pa.table({"id": [7, None], "at": [moment, moment]}), tmp_path / "a.parquet")

    rows, _ = read(tmp_path / "a.parquet")

    assert rows == [(1, {"id": 7, "at": moment}), (2, {"id": None, "at": moment})]


def test_the_format_may_be_said(tmp_path: Path) -> None:
    path = write(tmp_path / "export.txt", b"id\n1\n")

    assert read(path, file_format=FileFormat.CSV)[0] == [(2, {"id": "1"})]


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.doc", "cannot tell the format"), ("missing.csv", "is no file"), ("a.parquet", "Parquet")],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, name: str, message: str) -> None:
    if not name.startswith("missing"):
        write(tmp_path / name, b"something else")

    with pytest.raises(ConfigurationError, match=message):
        open_source(tmp_path / name, ReadOptions())


def test_the_position_reaches_the_size(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "a.csv", b"id\n" + b"1\n" * 12_000), ReadOptions())

    batches = list(source.batches())

    assert sum(len(batch) for batch in batches) == 12_000
    assert batches[-1].position == source.size


def test_what_unicode_ends_lines_with_is_a_letter_of_a_field(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,title\n1,a\u2028b\x85c,d\n2,5" \u2028x\n'.encode())

    rows, bad = read(path)

    assert rows == [(3, {"id": "2", "title": '5" \u2028x'})]
    assert bad == [(2, "has 3 fields, the header has 2", ["1", "a\u2028b\x85c", "d"])]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_array_is_read_element_by_element(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None
) -> None:
    monkeypatch.setattr(text_lines, "BLOCK_BYTES", 50)
    elements = [{"id": n, "title": f"Müller {n}"} for n in range(40)]
    content = json.dumps([*elements, 7], indent=indent, ensure_ascii=False).encode()
    source = open_source(write(tmp_path / "a.json", content), ReadOptions())

    rows, bad = read(tmp_path / "a.json")

    assert source.columns() == ["id", "title"]
    assert [values for _, values in rows] == elements
    assert [line for line, _ in rows] == [2 + 4 * n if indent else 1 for n in range(40)]
    assert [row.reason for row in bad] == ["is not a JSON object"]


@pytest.mark.parametrize("content", [b'[{"id": 1}, {"id": ', b'[{"id": 1}, {"id" 2}]', b"[{}"])
def test_a_json_array_that_is_not_whole_is_damaged(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DamagedFile, match=r"a\.json: line 1: is no element of a JSON array"):
        read(write(tmp_path / "a.json", content))


def test_a_value_within_a_value_has_a_path(tmp_path: Path) -> None:
    nested = {"properties": {"product": {"sku": "L1"}, "n": 1}, "id": "e"}
    lines = write(tmp_path / "a.jsonl", json.dumps(nested).encode())
    pq.write_table(pa.Table.from_pylist([nested]), tmp_path / "a.parquet")

    for path in (lines, tmp_path / "a.parquet"):
        source = open_source(path, ReadOptions())
        assert {"properties.product.sku", "properties.n"} <= set(source.columns())
        [batch] = source.batches(["properties.product.sku", "id"])
        values = next(iter(batch.rows()))[1]
        assert (values["properties.product.sku"], values["id"]) == ("L1", "e")


@pytest.mark.parametrize("suffix", ["zst", "zip", "bz2", "xz"])
def test_compressed_files_are_read_as_what_they_hold(tmp_path: Path, suffix: str) -> None:
    content = b"id\n1\n"
    if suffix == "zip":
        with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
            archive.writestr("__MACOSX/._a.csv", b"x")
            archive.writestr("a.csv", content)
    else:
        with pa.CompressedOutputStream(str(tmp_path / "a.csv.zst"), "zstd") as stream:
            stream.write(content)
        packed = {"bz2": bz2.compress(content), "xz": lzma.compress(content)}
        write(
            tmp_path / f"a.csv.{suffix}", packed.get(suffix, (tmp_path / "a.csv.zst").read_bytes())
        )

    assert read(tmp_path / f"a.csv.{suffix}")[0] == [(2, {"id": "1"})]


def test_a_zip_of_several_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", b"id\n1\n")
        archive.writestr("b.csv", b"id\n1\n")

    with pytest.raises(ConfigurationError, match=r"holds 2 files \(a\.csv, b\.csv\): unpack it"):
        read(tmp_path / "a.csv.zip")


def test_lines_may_end_as_on_any_system(tmp_path: Path) -> None:
    for ending in ("\n", "\r\n", "\r"):
        text = ending.join(["id,title", "1,a", "", '2,"b', 'c"'])
        assert read(write(tmp_path / "a.csv", text.encode()))[0] == [
            (2, {"id": "1", "title": "a"}), (4, {"id": "2", "title": "b\nc"})
        ]  # fmt: skip


def test_a_key_twice_in_an_object_is_refused(tmp_path: Path) -> None:
    rows, bad = read(write(tmp_path / "a.jsonl", b'{"id": 1, "id": 2}\n{"id": 3}\n'))

    assert rows == [(2, {"id": 3})]
    assert [(row.line, row.reason) for row in bad] == [
        (1, "is not valid JSON: the key 'id' is there twice")
    ]
