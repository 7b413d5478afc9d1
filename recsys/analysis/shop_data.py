"""What the last nightly run read of a shop: its behaviour in columns and its catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.core.errors import NotFound
from recsys.runtime.shop import Shop
from recsys.stores.run_files import CATALOGUE, EVENTS, run_folder
from recsys.training.event_log import EventLog


@dataclass(frozen=True)
class ShopData:
    """Behaviour and catalogue as one run saw them.

    Attributes:
        log: every event counts once; types the shop's settings do not name are left out.
        event_types: the name of each type of the log.
        titles, available: of the catalogue, by item id; empty for a shop without one.
    """

    log: EventLog
    event_types: tuple[str, ...]
    titles: Mapping[str, str]
    available: Mapping[str, bool]

    def title(self, item_id: str) -> str:
        """The title, or the id where there is none."""
        return self.titles.get(item_id) or item_id


def read_last_run(model_store: Path, tenant: str, shop: Shop) -> ShopData:
    """Read what a run left beside the model versions of its tenant.

    Raises:
        NotFound: when no run has read the shop yet.
    """
    folder = run_folder(model_store, tenant)
    try:
        events, catalogue = pq.read_table(folder / EVENTS), pq.read_table(folder / CATALOGUE)
    except FileNotFoundError as error:
        raise NotFound(f"{folder} has no events: run `recsys nightly read` first") from error
    columns = catalogue.to_pydict()
    return ShopData(
        log=_event_log(events, shop),
        event_types=tuple(shop.event_types),
        titles=dict(zip(columns["item_id"], columns["title"], strict=True)),
        available=dict(zip(columns["item_id"], columns["available"], strict=True)),
    )


def _event_log(events: pa.Table, shop: Shop) -> EventLog:
    names = pa.array(list(shop.event_types))
    known = events.filter(pc.is_in(events["event_type"], names))
    user_ids, users = _coded(known["user_id"])
    item_ids, items = _coded(known["item_id"])
    return EventLog(
        user_ids=user_ids,
        item_ids=item_ids,
        users=users,
        items=items,
        values=np.ones(len(known), np.float32),
        types=pc.index_in(known["event_type"], names).to_numpy().astype(np.int16),
        event_types=tuple(shop.event_types.values()),
        goals=tuple(name in shop.goals for name in shop.event_types),
        timestamps_ms=known["timestamp_ms"].to_numpy(),
    )


def _coded(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
