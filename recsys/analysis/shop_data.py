"""Behaviour in columns and catalogue, as the last nightly run read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from recsys.analysis.snapshot_log import snapshot_log
from recsys.config.shop import Shop
from recsys.stores.run_files import CATALOGUE, EVENTS, run_folder
from recsys.training.event_log import EventLog


@dataclass(frozen=True)
class ShopData:
    """Behaviour and catalogue as one run saw them.

    Attributes:
        log: without the types that the shop's settings do not name.
        titles, available: of the catalogue, by item id; empty for a shop without one.
    """

    log: EventLog
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
    log = snapshot_log(folder / EVENTS, shop)
    # The read step writes the catalogue before the events.
    catalogue = pq.read_table(folder / CATALOGUE, columns=["item_id", "title", "available"])
    columns = catalogue.to_pydict()
    return ShopData(
        log=log,
        titles={i: t or "" for i, t in zip(columns["item_id"], columns["title"], strict=True)},
        available=dict(zip(columns["item_id"], columns["available"], strict=True)),
    )
