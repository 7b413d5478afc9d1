"""Values that a data set keeps in the names of its folders, as Hive and Spark write them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from recsys.importing.source import Column, RawBatch, RowReader

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def partition_of(path: Path) -> dict[str, str | None]:
    """The value of each column that a folder of the path is named after: `day=2024-01-31`."""
    pairs = (part.partition("=") for part in path.parts[:-1])
    found = {unquote(name): unquote(value) for name, equals, value in pairs if name and equals}
    return {name: None if value == _NO_VALUE else value for name, value in found.items()}


class PartitionedSource:
    """The rows of a file with the values of its folders; a column of the file itself goes first.

    Args:
        source: reads the file.
        partition: see `partition_of`.
    """

    def __init__(self, source: RowReader, partition: Mapping[str, str | None]) -> None:
        self._source = source
        self.size = source.size
        self._own = source.columns()
        self._added = {name: value for name, value in partition.items() if name not in self._own}

    def columns(self) -> list[str]:
        return [*self._own, *self._added]

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        inner = wanted and [name for name in wanted if name not in self._added]
        for batch in self._source.batches(inner):
            yield self._with_partition(batch)

    def _with_partition(self, batch: RawBatch) -> RawBatch:
        added: dict[str, Column] = {
            name: pa.array([value] * len(batch), pa.string()) for name, value in self._added.items()
        }

        def raw(place: int) -> Any:
            row = batch.raw(place)
            return {**self._added, **row} if isinstance(row, dict) else row

        return replace(batch, columns=added | dict(batch.columns), raw=raw)
