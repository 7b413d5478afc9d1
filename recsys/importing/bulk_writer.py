"""Converting rows in this thread while others store them."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from recsys.core.errors import InvalidInput
from recsys.importing.convert import Skipped, Values
from recsys.importing.rejects import RejectFile
from recsys.importing.source import BadRow, Batch, RowReader

_Record = TypeVar("_Record")


@dataclass(slots=True)
class Tally:
    """Progress of an import: rows stored, known already, rejected, and skipped by reason."""

    landed: int = 0
    duplicate: int = 0
    rejected: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


class _Pending(NamedTuple):
    """A batch that is being stored."""

    stored: Future[int]
    records: int
    position: int


@dataclass(frozen=True, slots=True)
class BulkWriter(Generic[_Record]):
    """Writer of an import: converts rows in this thread while others store them.

    Attributes:
        convert: makes a record of a row; raises InvalidInput to reject and Skipped to skip it.
        store: stores records durably, called from several threads; returns how many were new.
        rejects: keeps what is not taken.
        writers: threads that store; they bound the batches in memory too.
    """

    convert: Callable[[Values], _Record]
    store: Callable[[list[_Record]], int]
    rejects: RejectFile
    writers: int

    def run(self, source: RowReader, tally: Tally, observe: Callable[[int], None]) -> None:
        """Take a source in, keeping `tally` up to date and telling `observe` the position.

        Raises:
            Unavailable: the store went away; `tally` counts what was stored until then.
        """
        pending: deque[_Pending] = deque()
        with self._threads() as threads:
            for batch in source.batches():
                records = self._convert(batch, tally)
                if records:
                    stored = threads.submit(self.store, records)
                    pending.append(_Pending(stored, len(records), batch.position))
                while len(pending) > self.writers:
                    observe(_finish(pending, tally))
                if not pending:
                    observe(batch.position)
            while pending:
                observe(_finish(pending, tally))

    def _convert(self, batch: Batch, tally: Tally) -> list[_Record]:
        records = []
        bad = list(batch.bad)
        for row in batch.rows:
            try:
                records.append(self.convert(row.values))
            except InvalidInput as error:
                bad.append(BadRow(row.line, str(error), row.values))
            except Skipped as skipped:
                tally.skipped[str(skipped)] += 1
        self.rejects.write(bad)
        tally.rejected += len(bad)
        return records

    @contextmanager
    def _threads(self) -> Iterator[ThreadPoolExecutor]:
        threads = ThreadPoolExecutor(self.writers, thread_name_prefix="import")
        try:
            yield threads
        finally:
            # After an error or Ctrl-C nothing that has not begun is begun.
            threads.shutdown(cancel_futures=True)


def _finish(pending: deque[_Pending], tally: Tally) -> int:
    batch = pending.popleft()
    new = batch.stored.result()
    tally.landed += new
    tally.duplicate += batch.records - new
    return batch.position
