"""The events that the last nightly run read, as an event log."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from recsys.core.errors import NotFound
from recsys.core.event_types import details_that_count
from recsys.runtime.shop import Shop
from recsys.training.event_log import EventLog

_COLUMNS = ["user_id", "item_id", "event_type", "timestamp_ms"]


def snapshot_log(events: Path, shop: Shop) -> EventLog:
    """Read the events of a run, with quantities and prices where these count.

    Types that the shop's settings do not name are left out; the log's types are in their order.

    Args:
        events: the files that the read step wrote.

    Raises:
        NotFound: when no run has read anything yet, or not what counts now.
    """
    if not events.exists():
        raise NotFound(f"{events} is missing: run `recsys nightly read` first")
    known = pa.array(list(shop.event_types))
    counted = details_that_count(shop.event_types.values())
    read = ds.dataset(events, format="parquet")
    if missing := [name for name in counted if name not in read.schema.names]:
        raise NotFound(
            f"{events} has no {missing[0]}, which counts: run `recsys nightly read` first"
        )
    table = read.to_table(_COLUMNS + counted, filter=ds.field("event_type").isin(known))
    user_ids, users = _coded(table["user_id"])
    item_ids, items = _coded(table["item_id"])
    return EventLog(
        user_ids=user_ids,
        item_ids=item_ids,
        users=users,
        items=items,
        values=np.ones(len(users), np.float32),
        types=pc.index_in(table["event_type"], known).to_numpy().astype(np.int16),
        event_types=tuple(shop.event_types.values()),
        goals=tuple(name in shop.goals for name in shop.event_types),
        timestamps_ms=table["timestamp_ms"].to_numpy(),
        quantities=table["quantity"].to_numpy() if "quantity" in counted else None,
        prices=table["price"].to_numpy() if "price" in counted else None,
    )


def _coded(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
