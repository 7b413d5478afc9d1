"""Looking at a file as an import would read it, without storing anything."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from recsys.core.domain import Event
from recsys.importing.bulk_writer import Tally
from recsys.importing.column_values import Ids
from recsys.importing.converted import BatchReader
from recsys.importing.equal_rows import EqualRows
from recsys.importing.event_batch import EventBatch
from recsys.importing.event_objects import events_of
from recsys.importing.item_rows import ItemRow
from recsys.importing.source import RowReader
from recsys.importing.times import FIRST_PLAUSIBLE_MS

# Of a shop's events, no shopper and no product has a fifth: such an id is a placeholder.
_MAX_SHARE = 0.2
# A shop that sends an event twice does so seldom.
_MAX_REPEATED = 0.05
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
        stored: rows that would be stored, of this file alone.
        columns: column by field.
    """

    tally: Tally = field(default_factory=Tally)
    types: Counter[str] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)
    first_ms: int | None = None
    last_ms: int | None = None
    stored: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    _rows: EqualRows = field(default_factory=EqualRows)

    @property
    def duplicate(self) -> int:
        """Rows that are the event of an earlier one."""
        tally = self.tally
        return tally.read - tally.rejected.total() - tally.skipped.total() - self.stored

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
        event_id = self.columns.get("event_id")
        if event_id and self.duplicate > _MAX_REPEATED * rows:
            found.append(
                f"{self.duplicate / rows:.0%} of the events have the event_id of an earlier one and"
                f" would be lost: where it numbers the events of each user, leave it out by"
                f" --mapping {event_id}="
            )
        if self.items and not self.users and self.columns.keys() == {"item_id"}:
            found.append(
                "the file has nothing but ids: items that are stored would lose what they have;"
                " --update leaves it"
            )
        return found

    def add(self, records: EventBatch | Sequence[Event] | Sequence[ItemRow]) -> None:
        """Count what a batch of rows makes."""
        if isinstance(records, EventBatch):
            self._add_batch(records)
            return
        self.stored += len(records)
        for record in records:
            self.items[record.item_id] += 1
            if isinstance(record, Event):
                self.users[record.user_id] += 1
                self.types[record.event_type] += 1
                self._add_times([record.timestamp_ms])

    def _add_batch(self, batch: EventBatch) -> None:
        events = (event.event_id.encode() for event in events_of(batch))
        self.stored += self._rows.add([blake2b(each, digest_size=8).hexdigest() for each in events])
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
        found.columns = reader.columns
        found.tally.add(converted)
        found.add(converted.records)
    return found


def _counts(ids: Ids) -> dict[str, int]:
    counts = np.bincount(ids.codes, minlength=len(ids.names)).tolist()
    return {name: count for name, count in zip(ids.names, counts, strict=True) if count}
