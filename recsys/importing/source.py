"""Interface of the readers of all file formats."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

BATCH_ROWS = 5000


class SourceRow(NamedTuple):
    """A row as the file has it: 1-based line (row, in Parquet) and the values by column."""

    line: int
    values: Mapping[str, Any]


class BadRow(NamedTuple):
    """A row that is not taken, why, and what it was."""

    line: int
    reason: str
    raw: Any


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows; `position` tells how much of the source's `size` is behind us."""

    rows: list[SourceRow]
    bad: list[BadRow]
    position: int


class RowReader(Protocol):
    """A file that can be read once from its beginning, in batches that fit in memory."""

    @property
    def size(self) -> int:
        """In bytes or rows, whichever the format knows beforehand."""

    def columns(self) -> list[str]: ...

    def batches(self) -> Iterator[Batch]: ...
