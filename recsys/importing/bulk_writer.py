"""Reading rows in this thread while others store them."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from recsys.core.errors import DamagedFile, RecsysError, TooManyRejected
from recsys.importing.converted import BatchReader, Converted, Sliceable
from recsys.importing.source import BadRow, RowReader

_Records = TypeVar("_Records", bound=Sliceable)

# What is handed to the store at once.
STORE_ROWS = 5000
# Of so many rows at least, nearly all of which are rejected, the rest is not read: most likely the
# file is not what was meant.
_FIRST_ROWS = 1000
_NEARLY_ALL = 0.95
# Different reasons to count; a file that has a reason of its own in each row has them elsewhere.
_MAX_REASONS = 1000


class Rejects(Protocol):
    """Where rows go that break a rule."""

    def write(self, rows: Iterable[BadRow]) -> None: ...


class Stored(NamedTuple):
    """What became of records: new ones, those merged into others of the file, and known ones."""

    new: int
    merged: int = 0
    duplicate: int = 0


@dataclass(slots=True)
class Tally:
    """Progress of an import: rows read, and what became of each.

    Attributes:
        dropped: values of optional fields that could not be read; their rows are taken.
    """

    read: int = 0
    stored: int = 0
    merged: int = 0
    duplicate: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Converted[Any]) -> None:
        """Count what was read."""
        self.read += batch.rows
        for row in batch.bad:
            is_known = row.reason in self.rejected or len(self.rejected) < _MAX_REASONS
            self.rejected[row.reason if is_known else "other reasons"] += 1
        self.skipped.update(batch.skipped)
        self.dropped.update(batch.dropped)

    def rejected_share(self) -> float:
        """Share of the rows read that were rejected."""
        return self.rejected.total() / self.read if self.read else 0.0


class _Pending(NamedTuple):
    """Records that are being stored."""

    stored: Future[Stored]
    position: int


@dataclass(frozen=True, slots=True)
class BulkWriter(Generic[_Records]):
    """Writer of an import: reads rows in this thread while others store them.

    Attributes:
        reader: makes records of rows.
        store: stores records durably, called from several threads.
        rejects: keeps what is not taken.
        writers: threads that store; they bound the records in memory too.
        stops_early: whether the rest is left when nearly all of the first rows are rejected.
    """

    reader: BatchReader[_Records]
    store: Callable[[_Records], Stored]
    rejects: Rejects
    writers: int
    stops_early: bool = True

    def run(self, source: RowReader, tally: Tally, observe: Callable[[int], None]) -> None:
        """Take a source in, keeping `tally` up to date and telling `observe` the position.

        Raises:
            Unavailable: the store went away; `tally` counts what was stored until then.
            DamagedFile, TooManyRejected: the rest of the file cannot or should not be read; what
                came before is stored and counted.
        """
        pending: deque[_Pending] = deque()
        try:
            with self._threads() as threads:
                ended: RecsysError | None = None
                try:
                    for position, records in self._converted(source, tally):
                        for part in _parts(records):
                            pending.append(_Pending(threads.submit(self.store, part), position))
                            while len(pending) > self.writers:
                                observe(_finish(pending, tally))
                        if not pending:
                            observe(position)
                except (DamagedFile, TooManyRejected) as error:
                    ended = error
                while pending:
                    observe(_finish(pending, tally))
                if ended:
                    raise ended
        finally:
            # After an error, what other threads have stored meanwhile.
            for stored, _ in pending:
                if not stored.cancelled() and stored.exception() is None:
                    _count(stored.result(), tally)

    def _converted(self, source: RowReader, tally: Tally) -> Iterator[tuple[int, _Records]]:
        for batch in source.batches(self.reader.columns.values()):
            converted = self.reader.read(batch)
            self.rejects.write(converted.bad)
            tally.add(converted)
            if self.stops_early and _is_hopeless(tally):
                raise TooManyRejected(
                    f"{tally.rejected.total():,} of the first {tally.read:,} rows were rejected:"
                    " the rest was left"
                )
            yield batch.position, converted.records

    @contextmanager
    def _threads(self) -> Iterator[ThreadPoolExecutor]:
        threads = ThreadPoolExecutor(self.writers, thread_name_prefix="import")
        try:
            yield threads
        finally:
            # After an error or Ctrl-C nothing that has not begun is begun.
            threads.shutdown(cancel_futures=True)


def _is_hopeless(tally: Tally) -> bool:
    return tally.read >= _FIRST_ROWS and tally.rejected_share() >= _NEARLY_ALL


def _parts(records: _Records) -> Iterator[_Records]:
    for start in range(0, len(records), STORE_ROWS):
        yield records[start : start + STORE_ROWS]


def _finish(pending: deque[_Pending], tally: Tally) -> int:
    part = pending.popleft()
    _count(part.stored.result(), tally)
    return part.position


def _count(stored: Stored, tally: Tally) -> None:
    tally.stored += stored.new
    tally.merged += stored.merged
    tally.duplicate += stored.duplicate
