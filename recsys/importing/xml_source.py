"""XML feeds of products, such as shops write for Google, Meta, Yandex or Heureka."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lxml import etree

from recsys.core.errors import ConfigurationError, DamagedFile
from recsys.importing.nested_values import batch_columns, columns_of_rows, first_rows
from recsys.importing.opened_file import open_content
from recsys.importing.source import RawBatch

# Elements that hold a product, in lower case: RSS and Atom, and what other feeds call it.
RECORDS = frozenset({"item", "entry", "product", "offer", "shopitem", "record", "row"})
# Of a tag that RSS or Atom and Google both have, Google's is the one of the product.
_GOOGLE = "http://base.google.com/ns/1.0"
_CHUNK_BYTES = 2**20


class _Rows(NamedTuple):
    lines: list[int]
    rows: list[dict[str, Any]]
    position: int


class XmlSource:
    """A file of XML; a row for each element of a product, on the line where it begins.

    Columns are attributes and elements by their names without a namespace; an element that holds
    others is "outer.inner", one that is there several times a list.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def columns(self) -> list[str]:
        """Names of the columns of the first rows; later ones may have more.

        Raises:
            ConfigurationError: no element is one of a product.
        """
        first = first_rows(row for found in self._elements() for row in found.rows)
        if not first:
            raise ConfigurationError(
                f"{self._path.name} has no element {', '.join(sorted(RECORDS))}: no row"
            )
        return columns_of_rows(first)

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        for found in self._elements():
            yield RawBatch(
                columns=batch_columns(found.rows, wanted),
                lines=np.array(found.lines, np.int64),
                bad=[],
                position=found.position,
                raw=found.rows.__getitem__,
            )

    def _elements(self) -> Iterator[_Rows]:
        # A file may neither name other files nor grow by its own entities; libxml2 sees to the
        # latter, and to elements that are deeper or larger than any product is.
        parser = etree.XMLPullParser(
            events=("start", "end"), resolve_entities="internal", no_network=True, huge_tree=False
        )
        depth = 0
        with open_content(self._path) as file:
            while True:
                chunk = file.read(_CHUNK_BYTES)
                damage = _fed(parser, chunk)
                lines, rows = list[int](), list[dict[str, Any]]()
                for event, element in parser.read_events():
                    if not _is_record(element):
                        if event == "end" and not depth:
                            _forget(element)
                        continue
                    depth += 1 if event == "start" else -1
                    if event == "end" and not depth:
                        lines.append(element.sourceline)
                        rows.append(_row(element))
                        _forget(element)
                yield _Rows(lines, rows, file.position())
                if damage is not None:
                    raise DamagedFile(self._path.name, f"is no whole XML: {damage.msg}") from damage
                if not chunk:
                    return


def _fed(parser: etree.XMLPullParser, chunk: bytes) -> etree.XMLSyntaxError | None:
    """Hand over what was read, or its end; what is wrong with it, for the rows before count."""
    try:
        if chunk:
            parser.feed(chunk)
        else:
            parser.close()
    except etree.XMLSyntaxError as damage:
        return damage
    return None


def _is_record(element: Any) -> bool:
    return etree.QName(element).localname.lower() in RECORDS


def _forget(element: Any) -> None:
    """Free an element that has been read, and those before it."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _row(element: Any) -> dict[str, Any]:
    """Attributes and inner elements by their local names."""
    found: dict[str, Any] = dict(element.attrib)
    is_google = dict[str, bool]()
    for child in element.iterchildren(tag=etree.Element):
        name = etree.QName(child)
        key, value = name.localname, _value(child)
        google = name.namespace == _GOOGLE
        if key not in is_google or google > is_google[key]:
            found[key], is_google[key] = value, google
        elif google == is_google[key]:
            before = found[key]
            found[key] = [*before, value] if isinstance(before, list) else [before, value]
    return found


def _value(element: Any) -> Any:
    """Text, or what is within."""
    if len(element) or (element.attrib and not (element.text or "").strip()):
        return _row(element)
    return element.text
