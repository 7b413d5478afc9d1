"""Rows of the snapshot: events as they were sent, without what no model reads."""

from collections.abc import Collection
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.stores.hbase.interaction_scan import InteractionColumns
from spark_jobs.event_arrays import DETAILS, event_arrays

# But for the query, which no model reads.
_DETAILS = ("quantity", "price", "order_id", "rating")
SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("event_type", pa.string()),
        ("timestamp_ms", pa.int64()),
        *((name, DETAILS[name]) for name in _DETAILS),
        # Of the event id. Two events of one user at one millisecond, whose ids have the same hash,
        # would be one: the other columns of a row key are here in full.
        ("event_hash", pa.int64()),
    ]
)
_KEY = ("event_hash", "timestamp_ms", "user_id")


def event_rows(columns: InteractionColumns) -> pa.RecordBatch:
    """Events as rows of the snapshot, in the same order."""
    arrays = event_arrays(columns, _DETAILS)
    arrays["event_hash"] = pa.array(_hashes(columns.event_ids))
    return pa.RecordBatch.from_arrays([arrays[name] for name in SCHEMA.names], schema=SCHEMA)


def _hashes(event_ids: Collection[bytes]) -> NDArray[np.int64]:
    digests = [blake2b(event_id, digest_size=8).digest() for event_id in event_ids]
    return np.frombuffer(b"".join(digests), np.int64)


class RowSet:
    """Events by what their row keys say, to find them among others."""

    def __init__(self, rows: pa.Table) -> None:
        self._hashes = np.unique(rows["event_hash"].to_numpy())
        self._keys = set(row_keys(rows))

    def __len__(self) -> int:
        return len(self._keys)

    def mask(self, rows: pa.RecordBatch) -> NDArray[np.bool_]:
        """Mark those of these rows that are among the events."""
        found: NDArray[np.bool_] = np.isin(rows["event_hash"].to_numpy(), self._hashes)
        # Few are left, for which the other columns decide.
        candidates = np.flatnonzero(found)
        if len(candidates):
            keys = row_keys(pa.Table.from_batches([rows.take(pa.array(candidates))]))
            found[candidates] = [key in self._keys for key in keys]
        return found


def row_keys(rows: pa.Table) -> list[tuple[int, int, str]]:
    return list(zip(*(rows[name].to_pylist() for name in _KEY), strict=True))


def is_of_users(rows: pa.RecordBatch, user_ids: pa.Array) -> NDArray[np.bool_]:
    """Mark the rows of these users."""
    found: NDArray[np.bool_] = pc.is_in(rows["user_id"], value_set=user_ids).to_numpy(
        zero_copy_only=False
    )
    return found
