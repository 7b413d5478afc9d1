"""The events that the last nightly run read, as an event log."""

from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from recsys.config.shop import Shop
from recsys.core.errors import NotFound
from recsys.core.event_types import details_that_count
from recsys.stores.run_events import damage_named, open_events
from recsys.training.event_log import EventLog

_COLUMNS = ["user_id", "item_id", "event_type", "timestamp_ms"]


def snapshot_log(events: Path, shop: Shop) -> EventLog:
    """Read the events of a run, with quantities, prices and ratings where these count.

    Types that the shop's settings do not name are left out; the log's types are in their order.

    Args:
        events: the files that the read step wrote.

    Raises:
        NotFound: when no run has read anything yet, or not what counts now, or what it wrote is
            damaged.
    """
    with damage_named(events):
        return _read(*_wanted(events, shop), shop)


def snapshot_sample(
    events: Path, shop: Shop, most: int, *, before_ms: int | None = None
) -> tuple[EventLog, float]:
    """Read about `most` events, all those of some of the users; and the share of these users.

    Args:
        before_ms: later events are left out.

    Raises:
        NotFound: see `snapshot_log`.
    """
    dataset, wanted = _wanted(events, shop)
    if before_ms is not None:
        wanted &= ds.field("timestamp_ms") < before_ms
    with damage_named(events):
        share = min(most / max(dataset.count_rows(filter=wanted), 1), 1.0)
        return _read(dataset, wanted, shop, share), share


def _wanted(events: Path, shop: Shop) -> tuple[ds.Dataset, ds.Expression]:
    """The files, and the filter of events that the shop's settings name."""
    dataset = open_events(events)
    counted = details_that_count(shop.event_types.values())
    if missing := [name for name in counted if name not in dataset.schema.names]:
        raise NotFound(
            f"{events} has no {missing[0]}, which counts: run `recsys nightly read` first"
        )
    return dataset, ds.field("event_type").isin(pa.array(list(shop.event_types)))


def _read(
    dataset: ds.Dataset, wanted: ds.Expression, shop: Shop, user_share: float = 1.0
) -> EventLog:
    known, counted = pa.array(list(shop.event_types)), details_that_count(shop.event_types.values())
    columns = _COLUMNS + counted
    batches = dataset.to_batches(columns=columns, filter=wanted)
    schema = pa.schema([dataset.schema.field(name) for name in columns])
    table = pa.Table.from_batches((_of_some_users(b, user_share) for b in batches), schema)
    user_ids, users = _coded(table["user_id"])
    item_ids, items = _coded(table["item_id"])
    return EventLog(
        user_ids=user_ids,
        item_ids=item_ids,
        users=users,
        items=items,
        values=np.ones(len(users), np.float32),
        types=pc.index_in(table["event_type"], known).to_numpy().astype(np.int16),
        event_types=shop.event_types,
        target_types=tuple(name in shop.target_types for name in shop.event_types),
        timestamps_ms=table["timestamp_ms"].to_numpy(),
        quantities=table["quantity"].to_numpy() if "quantity" in counted else None,
        prices=table["price"].to_numpy() if "price" in counted else None,
        ratings=table["rating"].to_numpy() if "rating" in counted else None,
    )


def _of_some_users(batch: pa.RecordBatch, share: float) -> pa.RecordBatch:
    """The events of this share of all users, the same ones in every batch."""
    if share >= 1:
        return batch
    encoded = pc.dictionary_encode(batch["user_id"])
    ids = encoded.dictionary.to_pylist()
    chosen = np.fromiter((crc32(text.encode()) < share * 2**32 for text in ids), np.bool_)
    return batch.filter(pa.array(chosen[encoded.indices.to_numpy()]))


def _coded(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
