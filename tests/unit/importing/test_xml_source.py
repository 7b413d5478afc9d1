"""XML feeds: rows with their lines, and nothing of a file that is more than it seems."""

import gzip
from pathlib import Path

import pytest

from recsys.core.errors import ConfigurationError, DamagedFile
from recsys.importing import xml_source
from recsys.importing.file_format import open_source
from recsys.importing.read_options import ReadOptions
from tests.unit.importing.test_sources import read, write


def test_rows_carry_the_line_they_begin_at(tmp_path: Path) -> None:
    content = (
        b"<products>\n<product id='1'>\n<name>a</name></product>\n\n<product id='2'/></products>"
    )

    rows, bad = read(write(tmp_path / "a.xml", content))

    assert [(line, row["id"], row["name"]) for line, row in rows] == [(2, "1", "a"), (5, "2", None)]
    assert bad == []


def test_what_is_within_and_what_is_there_twice(tmp_path: Path) -> None:
    content = (
        b"<rss><item><id>1</id><tag>x</tag><tag>y</tag><size><unit>cm</unit><of>5</of></size>"
        b"<item>its own part, no row</item></item></rss>"
    )
    path = write(tmp_path / "a.xml", content)

    [(_, row)], _ = read(path)
    [batch] = [b for b in open_source(path, ReadOptions()).batches(["size.unit"]) if len(b)]

    assert row["tag"] == ["x", "y"]
    assert row["size"] == {"unit": "cm", "of": "5"}
    assert dict(batch.rows())[1]["size.unit"] == "cm"
    assert "size.unit" in open_source(path, ReadOptions()).columns()


def test_a_packed_file_in_many_pieces_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_source, "_CHUNK_BYTES", 100)
    content = b"<rss>" + b"".join(b"<item><id>%d</id></item>" % n for n in range(1000)) + b"</rss>"

    rows, _ = read(write(tmp_path / "a.xml.gz", gzip.compress(content)))

    assert [row["id"] for _, row in rows] == [str(n) for n in range(1000)]


@pytest.mark.parametrize(
    "end",
    [b"<item><id>2</", b"<item><id>2</id></product></rss>", b"<item>&nbsp;</item></rss>", b""],
)
def test_rows_before_a_damage_are_read_and_it_is_said(tmp_path: Path, end: bytes) -> None:
    source = open_source(
        write(tmp_path / "a.xml", b"<rss><item><id>1</id></item>" + end), ReadOptions()
    )
    batches = source.batches()

    assert [row["id"] for _, row in next(batches).rows()] == ["1"]
    with pytest.raises(DamagedFile, match=r"a\.xml: is no whole XML: "):
        list(batches)


def test_a_file_cannot_name_another(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret", b"secret")
    content = (
        f'<!DOCTYPE rss [<!ENTITY file SYSTEM "{secret}">]><rss><item><id>&file;</id></item></rss>'
    )

    with pytest.raises(DamagedFile):
        read(write(tmp_path / "a.xml", content.encode()))


def test_a_file_cannot_grow_by_its_own_entities(tmp_path: Path) -> None:
    entities = '<!ENTITY e0 "ha">' + "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)
    )
    content = f"<!DOCTYPE rss [{entities}]><rss><item><id>&e9;</id></item></rss>"

    with pytest.raises(DamagedFile):
        read(write(tmp_path / "a.xml", content.encode()))


def test_a_file_without_products_says_what_was_looked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xml", b"<config><name>x</name></config>")
    with pytest.raises(ConfigurationError, match=r"a\.xml has no element entry, item, offer"):
        open_source(path, ReadOptions()).columns()
