"""Rows of a file, of which no more may break rules than was allowed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.wording import pluralize
from recsys.importing.bulk_writer import Tally
from recsys.importing.converted import BatchReader, Sliceable
from recsys.importing.source import BadRow, RowReader

_Records = TypeVar("_Records", bound=Sliceable)


def checked_records(
    path: Path,
    source: RowReader,
    reader: BatchReader[_Records],
    max_rejected: float,
    tally: Tally,
) -> Iterator[_Records]:
    """Read the records of a file's rows, batch by batch.

    Args:
        max_rejected: the share of rows that may break rules, and are left out.
        tally: the account of the rows, up to the batch that was read last.

    Raises:
        InvalidInput: naming the file, and the first row that breaks a rule where too many do.
    """
    first_bad = list[BadRow]()
    for batch in source.batches(reader.columns.values()):
        read = reader.read(batch)
        tally.add(read)
        first_bad = first_bad or list(read.bad[:1])
        if first_bad and not max_rejected:
            break
        yield read.records
    if tally.rejected_share() > max_rejected:
        raise _refusal(path, tally, first_bad[0], max_rejected)


def _refusal(path: Path, tally: Tally, bad: BadRow, allowed: float) -> InvalidInput:
    reason = f"line {bad.line}: {bad.reason}; the row is {bad.raw!s:.200}"
    if allowed:
        count = f"{tally.rejected.total():,} of {pluralize(tally.read, 'row')}"
        reason = f"{count} broke rules, more than --max-rejected {allowed:g}; {reason}"
    return InvalidInput([FieldProblem(path.name, reason)])
