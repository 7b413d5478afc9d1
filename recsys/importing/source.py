"""Interface of the readers of all file formats."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# Arrow where all values of a column are of one type; JSON may mix them.
Column: TypeAlias = pa.Array | list[Any]


class BadRow(NamedTuple):
    """A row that is not taken: its 1-based line (row, in Parquet), why, and what it was."""

    line: int
    reason: str
    raw: Any


class Elements(NamedTuple):
    """Rows that are elements of a list which a line holds.

    Attributes:
        places: (n,) 1-based place of each in its list.
        repeated: columns that all elements of a line have in common.
    """

    places: NDArray[np.int64]
    repeated: frozenset[str]

    @classmethod
    def of(cls, counts: Sequence[int], repeated: Iterable[str]) -> "Elements":
        """Number the elements of lists of these lengths, which stand one behind the other."""
        ends = np.cumsum(counts, dtype=np.int64)
        total = ends[-1] if len(ends) else 0
        places = np.arange(1, total + 1) - np.repeat(ends - counts, counts)
        return cls(places, frozenset(repeated))


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Consecutive rows as the file has them, in columns.

    Attributes:
        columns: (n,) each, by their name in the file; without the ones that were not asked for.
        lines: (n,) 1-based line where each row begins (number of the row, in Parquet).
        bad: what cannot be read as a row at all.
        position: how much of the source's `size` is behind us.
        raw: the whole row at a place of this batch, for a reject file.
        elements: None where each line is a row.
    """

    columns: Mapping[str, Column]
    lines: NDArray[np.int64]
    bad: list[BadRow]
    position: int
    raw: Callable[[int], Any]
    elements: Elements | None = None

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each row's line and its values by column."""
        columns = [
            column if isinstance(column, list) else column.to_pylist()
            for column in self.columns.values()
        ]
        for line, *values in zip(self.lines.tolist(), *columns, strict=True):
            yield line, dict(zip(self.columns, values, strict=True))


class RowReader(Protocol):
    """A file that can be read from its beginning, in batches that fit in memory."""

    @property
    def size(self) -> int:
        """In bytes or rows, whichever the format knows beforehand."""

    def columns(self) -> list[str]:
        """Names of the columns; in JSON Lines those of the first rows, later ones may have more."""

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        """The rows, with the wanted columns or all; JSON Lines always has all.

        Raises:
            DamagedFile: what is compressed in the file ends too early or is broken.
        """
