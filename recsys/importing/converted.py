"""Rows that have been read: the records they make, and an account of those that make none."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, Self, TypeVar

from recsys.importing.source import BadRow, RawBatch


class Sliceable(Protocol):
    """Records that can be cut to what is stored at once."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Self: ...


_Records = TypeVar("_Records", bound=Sliceable)


@dataclass(frozen=True, slots=True)
class Converted(Generic[_Records]):
    """A batch of rows after reading.

    Attributes:
        records: what the good rows make.
        bad: rows that break a rule.
        rows: how many there were, good or not.
        skipped: well-formed rows that are not taken on purpose, by reason.
        dropped: values of optional fields that cannot be read, by reason; their rows are taken.
    """

    records: _Records
    bad: Sequence[BadRow]
    rows: int
    skipped: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)


class BatchReader(Protocol[_Records]):
    """Makes records of a file's rows, batch by batch in the order of the file."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Column by field."""

    @property
    def unused(self) -> list[str]:
        """Columns that are no field's."""

    def read(self, batch: RawBatch) -> Converted[_Records]: ...


class Skipped(Exception):
    """The row is well formed and deliberately not taken; the message says why, for the summary."""


def is_strict(name: str) -> bool:
    """Tell whether a field's unreadable value costs the row, since without it the row means
    something else: a quantity of -1 is a return, "in 2 weeks" is not available, an event without
    its id counts twice.
    """
    return name in ("quantity", "available", "event_id", "value")


def line_of(row: BadRow) -> int:
    """The order of a reject file."""
    return row.line
