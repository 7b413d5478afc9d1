"""Events as Arrow arrays, a column each."""

from collections.abc import Iterable

import pyarrow as pa

from recsys.stores.hbase.interaction_scan import InteractionColumns

# Of the fields that an event may lack.
DETAILS = {
    "quantity": pa.float64(),
    "price": pa.float64(),
    "order_id": pa.string(),
    "rating": pa.float64(),
    "query": pa.string(),
}


def event_arrays(columns: InteractionColumns, details: Iterable[str] = ()) -> dict[str, pa.Array]:
    """The columns of every event, and these details of them."""
    arrays = {
        "user_id": pa.array(columns.user_ids, pa.string()),
        "item_id": pa.array(columns.item_ids, pa.string()),
        "event_type": pa.array(columns.event_types, pa.string()),
        "timestamp_ms": pa.array(columns.timestamps_ms, pa.int64()),
    }
    known = columns.details or [{}] * len(columns.user_ids)
    for name in details:
        arrays[name] = pa.array([each.get(name) for each in known], DETAILS[name])
    return arrays
