"""Checked events of a file, in columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.importing.column_values import Ids


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Checked events of a file; n rows.

    Attributes:
        lines: (n,) line of each.
        users, items, types: (n,) without gaps.
        timestamps_ms: (n,) or None for a file without times.
        event_ids, order_ids, queries: (n,) with gaps, or None for a file without.
        numbers: (n,) float64 by field, NaN where unknown.
    """

    lines: NDArray[np.int64]
    users: Ids
    items: Ids
    types: Ids | None
    timestamps_ms: NDArray[np.int64] | None
    event_ids: Ids | None
    order_ids: Ids | None
    queries: Ids | None
    numbers: Mapping[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, part: slice | NDArray[Any]) -> "EventBatch":
        def cut(ids: Ids | None) -> Ids | None:
            return None if ids is None else ids.only(part)

        times = self.timestamps_ms
        return EventBatch(
            self.lines[part],
            self.users.only(part),
            self.items.only(part),
            cut(self.types),
            None if times is None else times[part],
            cut(self.event_ids),
            cut(self.order_ids),
            cut(self.queries),
            {name: numbers[part] for name, numbers in self.numbers.items()},
        )
