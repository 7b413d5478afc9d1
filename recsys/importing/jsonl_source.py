"""JSON Lines: one object a line.

Line by line and not by Arrow, whose columns are of one type: exports mix `5` and `"5"`, and a line
that is no JSON has to spoil itself only.
"""

import json
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from recsys.importing.read_options import ReadOptions
from recsys.importing.source import BadRow, Column, RawBatch
from recsys.importing.text_lines import LineBlock, line_blocks, shown

_ROWS_FOR_COLUMNS = 100


class JsonlSource:
    """A JSON Lines file; its columns are the keys of its first objects, batches may have more."""

    def __init__(self, path: Path, options: ReadOptions | None = None) -> None:
        self._path = path
        self._encoding = (options or ReadOptions()).encoding
        self.size = path.stat().st_size

    def columns(self) -> list[str]:
        blocks = line_blocks(self._path, self._encoding)
        parsed = (row for block in blocks for row in _parsed(block))
        objects = (row for _, row in parsed if isinstance(row, dict))
        return _keys(islice(objects, _ROWS_FOR_COLUMNS))

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:  # noqa: ARG002
        for block in line_blocks(self._path, self._encoding):
            lines, rows, bad = list[int](), list[dict[str, Any]](), list(block.bad)
            for line, row in _parsed(block):
                if isinstance(row, BadRow):
                    bad.append(row)
                else:
                    lines.append(line)
                    rows.append(row)
            columns = {key: _column([row.get(key) for row in rows]) for key in _keys(rows)}
            yield RawBatch(
                columns, np.array(lines, np.int64), sorted(bad), block.position, rows.__getitem__
            )


def _keys(rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _column(values: list[Any]) -> Column:
    """Text, the commonest, as an Arrow column."""
    if all(value is None or type(value) is str for value in values):
        try:
            return pa.array(values, pa.string())
        except UnicodeEncodeError:
            # Half a surrogate pair, which the domain refuses for its row.
            pass
    return values


def _parsed(block: LineBlock) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    for number, line in enumerate(block.data.split(b"\n"), start=block.first_line):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, BadRow(number, f"is not valid JSON: {error}", shown(line))
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            yield number, BadRow(number, "is not a JSON object", shown(line))
