"""The events that the last nightly run read, as an event log."""

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
from numpy.typing import NDArray

from recsys.core.errors import NotFound
from recsys.runtime.shop import Shop
from recsys.training.event_log import EventLog
from spark_jobs.run_folder import RunFolder

_COLUMNS = ["user_id", "item_id", "event_type", "timestamp_ms"]


def snapshot_log(folder: RunFolder, shop: Shop) -> EventLog:
    """Read the snapshot of a run.

    Raises:
        NotFound: when no run has read anything yet.
    """
    if not folder.events.exists():
        raise NotFound(f"{folder.events} is missing: run `recsys nightly read` first")
    table = ds.dataset(folder.events, format="parquet").to_table(_COLUMNS)
    known = pa.array(list(shop.event_types))
    table = table.filter(ds.field("event_type").isin(known))
    user_ids, users = _coded(table["user_id"])
    item_ids, items = _coded(table["item_id"])
    names, types = _coded(table["event_type"])
    return EventLog(
        user_ids=user_ids,
        item_ids=item_ids,
        users=users,
        items=items,
        values=np.ones(len(users), np.float32),
        types=types.astype(np.int16),
        event_types=tuple(shop.event_types[name] for name in names),
        goals=tuple(name in shop.goals for name in names),
        timestamps_ms=table["timestamp_ms"].to_numpy(),
    )


def _coded(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
