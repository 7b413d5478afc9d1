"""Looking at a file as an import would read it, without storing anything."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recsys.core.domain import Event
from recsys.importing.bulk_writer import Tally
from recsys.importing.column_values import Ids
from recsys.importing.converted import BatchReader
from recsys.importing.event_batch import EventBatch
from recsys.importing.item_rows import ItemRow
from recsys.importing.source import RowReader
from recsys.importing.times import FIRST_PLAUSIBLE_MS

# Of a shop's events, no shopper and no product has a fifth: such an id is a placeholder.
_MAX_SHARE = 0.2
# Of fewer rows any id may have a fifth.
_MIN_ROWS = 100


@dataclass
class Preview:
    """What an import of a file would find.

    Attributes:
        tally: rows read and rejected; nothing is stored.
        types: events by type.
        users, items: rows by id.
        first_ms, last_ms: the times of the first and the last event.
    """

    tally: Tally = field(default_factory=Tally)
    types: Counter[str] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    first_ms: int | None = None
    last_ms: int | None = None

    def warnings(self) -> list[str]:
        """What most likely is a misunderstanding, although no row breaks a rule."""
        found = []
        if self.first_ms is not None and self.first_ms < FIRST_PLAUSIBLE_MS:
            found.append("there are events before 1995")
        rows = self.users.total()
        for name, counts in (("user", self.users), ("item", self.items)):
            for each, count in counts.most_common(1):
                if rows >= _MIN_ROWS and count > _MAX_SHARE * rows:
                    found.append(f"{name} {each!r} has {count / rows:.0%} of the events")
        return found

    def add(self, records: EventBatch | Sequence[Event] | Sequence[ItemRow]) -> None:
        """Count what a batch of rows makes."""
        if isinstance(records, EventBatch):
            self._add_batch(records)
            return
        for record in records:
            self.items[record.item_id] += 1
            if isinstance(record, Event):
                self.users[record.user_id] += 1
                self.types[record.event_type] += 1
                self._add_times([record.timestamp_ms])

    def _add_batch(self, batch: EventBatch) -> None:
        for counts, ids in (
            (self.users, batch.users), (self.items, batch.items), (self.types, batch.types)
        ):  # fmt: skip
            if ids is not None:
                counts.update(_counts(ids))
        if batch.timestamps_ms is not None and len(batch):
            self._add_times([int(batch.timestamps_ms.min()), int(batch.timestamps_ms.max())])

    def _add_times(self, times: Iterable[int]) -> None:
        known = [each for each in (self.first_ms, self.last_ms, *times) if each is not None]
        self.first_ms, self.last_ms = min(known), max(known)


def preview(source: RowReader, reader: BatchReader[Any]) -> Preview:
    """Read a whole file.

    Raises:
        DamagedFile: the file ends too early.
    """
    found = Preview()
    for batch in source.batches(reader.columns.values()):
        converted = reader.read(batch)
        found.tally.add(converted)
        found.add(converted.records)
    return found


def _counts(ids: Ids) -> dict[str, int]:
    counts = np.bincount(ids.codes, minlength=len(ids.names)).tolist()
    return {name: count for name, count in zip(ids.names, counts, strict=True) if count}
