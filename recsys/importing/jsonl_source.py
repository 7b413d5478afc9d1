"""JSON: one object a line, or an array of objects.

Object by object and not by Arrow, whose columns are of one type: exports mix `5` and `"5"`, and a
line that is no JSON has to spoil itself only.
"""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recsys.core.errors import ConfigurationError
from recsys.importing.json_array import (
    Elements,
    Row,
    array_elements,
    begins_array,
    each_key_once,
)
from recsys.importing.nested_values import batch_columns, columns_of_rows, first_rows
from recsys.importing.read_options import ReadOptions
from recsys.importing.source import BadRow, RawBatch
from recsys.importing.text_lines import LineBlock, line_blocks, shown

REJECTS_SUFFIX = ".rejects.jsonl"


class JsonlSource:
    """A file of JSON objects; its columns are the keys of the first, batches may have more.

    A value within a value is the column "outer.inner". Of a reject file its rows are read.

    Raises:
        ConfigurationError: from `columns`, when objects go over several lines, or no line is one.
    """

    def __init__(self, path: Path, options: ReadOptions | None = None) -> None:
        self._path = path
        self._encoding = (options or ReadOptions()).encoding
        self.size = path.stat().st_size

    def columns(self) -> list[str]:
        objects = first_rows(row for row in self._rows() if isinstance(row, dict))
        first = next(self._rows(), None)
        if isinstance(first, BadRow) and (not objects or first.raw == "{"):
            raise ConfigurationError(
                f"{self._path.name}: line {first.line} {first.reason}; expected an object on each"
                " line, or one array of objects. `jq -c .` writes objects that go over several"
                " lines so, `jq -c '.[]'` the elements of a list"
            )
        return columns_of_rows(objects)

    def _rows(self) -> Iterator[Row]:
        return (row for elements in self._elements() for _, row in elements.rows)

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        for elements in self._elements():
            lines, rows, bad = list[int](), list[dict[str, Any]](), list(elements.bad)
            for line, row in elements.rows:
                if isinstance(row, BadRow):
                    bad.append(row)
                else:
                    lines.append(line)
                    rows.append(row)
            yield RawBatch(
                columns=batch_columns(rows, wanted),
                lines=np.array(lines, np.int64),
                bad=sorted(bad, key=lambda row: row.line),
                position=elements.position,
                raw=rows.__getitem__,
            )

    def _elements(self) -> Iterator[Elements]:
        if begins_array(self._path, self._encoding):
            yield from array_elements(self._path, self._encoding)
            return
        for block in line_blocks(self._path, self._encoding):
            rows = list(_parsed(block))
            if self._path.name.endswith(REJECTS_SUFFIX):
                rows = [(line, _rejected_row(line, row)) for line, row in rows]
            yield Elements(rows, block.bad, block.position)


def _rejected_row(line: int, reject: Row) -> Row:
    """The row of an earlier import that is to be tried again."""
    if isinstance(reject, BadRow):
        return reject
    row = reject.get("row")
    return row if isinstance(row, dict) else BadRow(line, "was not readable as a row", row)


def _parsed(block: LineBlock) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(block.data.split(b"\n"), start=block.first_line):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=each_key_once)
        except (ValueError, RecursionError) as error:
            yield number, BadRow(number, f"is not valid JSON: {error}", shown(line))
            continue
        is_object = isinstance(row, dict)
        yield number, row if is_object else BadRow(number, "is not a JSON object", shown(line))
