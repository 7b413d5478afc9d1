"""JSON arrays of objects, one after the other and never the whole file at once."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from recsys.core.errors import DamagedFile
from recsys.importing.source import BadRow
from recsys.importing.text_lines import MAX_LINE_BYTES, text_chunks

_BEGINS = re.compile(rb"\s*\[\s*[{\]]")
_BETWEEN = re.compile(r"[\s,]*")

Row = dict[str, Any] | BadRow


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members.

    Raises:
        ValueError: a key is there twice, of which JSON does not say which counts.
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {doubled!r} is there twice")
    return members


_decode = json.JSONDecoder(object_pairs_hook=each_key_once).raw_decode


class Elements(NamedTuple):
    """Objects of a file, with the line where each begins, and how far the file has been read."""

    rows: list[tuple[int, Row]]
    bad: list[BadRow]
    position: int


def begins_array(path: Path, encoding: str) -> bool:
    """Tell whether a file is one array of objects rather than an object a line."""
    chunk, _ = next(text_chunks(path, encoding), (b"", 0))
    return _BEGINS.match(chunk) is not None


def array_elements(path: Path, encoding: str) -> Iterator[Elements]:
    """The elements of a file's array.

    Raises:
        DamagedFile: something is no JSON; the elements before have been yielded.
    """
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    text, line, is_begun = "", 1, False
    for chunk, position in text_chunks(path, encoding):
        text += decode(chunk)
        if not is_begun:
            skipped = text.index("[") + 1
            line, text, is_begun = line + text.count("\n", 0, skipped), text[skipped:], True
        rows, text, line = _take(text, line)
        yield Elements(rows, [], position)
        if len(text) > MAX_LINE_BYTES:
            break
    if text.strip() != "]":
        raise DamagedFile(path.name, f"line {line}: is no element of a JSON array: {text:.80}")


def _take(text: str, line: int) -> tuple[list[tuple[int, Row]], str, int]:
    """The elements at the beginning of a text, what is left of it, and the line of that."""
    rows, start = list[tuple[int, Row]](), 0
    while True:
        begin = _end_of(_BETWEEN, text, start)
        try:
            value, end = _decode(text, begin)
        except (ValueError, RecursionError):
            return rows, text[start:], line
        line += text.count("\n", start, begin)
        is_object = isinstance(value, dict)
        rows.append((line, value if is_object else BadRow(line, "is not a JSON object", value)))
        line += text.count("\n", begin, end)
        start = end


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start
