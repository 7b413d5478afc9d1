"""A recommender over stores in memory, and what tests do to it."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import numpy as np

from recsys.config.shops import Shops
from recsys.core.behaviour import StoredUser
from recsys.core.domain import Attribute, Event, Item
from recsys.core.errors import Unavailable
from recsys.core.model import ItemModel
from recsys.core.ports import ReadUser, UserLookup
from recsys.runtime.metrics import new_metrics
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from recsys.stores.memory.published import MemoryPublishedModels, MemoryServingStore
from recsys.stores.memory.purchases import MemoryPurchaseLog
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.model_codec import pack_items
from recsys.stores.model_files import ITEMS
from services.recommender.answer_batch import BatchAnswers
from services.recommender.answer_stream import Streams
from services.recommender.fold_in_worker import FoldInWorker
from services.recommender.model.follower import ModelFollower
from services.recommender.named_placements import NamedPlacements
from services.recommender.servicer import RecommenderServicer
from services.recommender.user_lists import UserLists
from tests.builders import (
    EVENT_TYPES,
    a_history,
    a_manifest,
    a_user_batch,
    an_item_model,
    repurchases,
    sha256,
)

Result = TypeVar("Result")
CACHE_BYTES = 1_000_000
# Bought i0 on the first and the eighth day: a week after the training it is due.
ANN = StoredUser(
    np.array([3, 1], np.int32),
    np.array([2.0, 1.0], np.float32),
    a_history([0]),
    repurchases([(0, 2, 0, 7)]),
)


class WatchedStore(MemoryServingStore):
    """Counts the round trips, can be away, and hold damaged records."""

    away = False
    damaged: frozenset[str] | set[str] = frozenset()

    def __init__(self, *stores: Any) -> None:
        super().__init__(*stores)
        self.trips: list[Sequence[UserLookup]] = []

    async def users(self, wanted: Sequence[UserLookup]) -> list[ReadUser]:
        self.trips.append(wanted)
        if self.away:
            raise Unavailable("redis", "away")
        found = await super().users(wanted)
        return [
            ReadUser(None, read.recent, "cut off") if user.user_id in self.damaged else read
            for user, read in zip(wanted, found, strict=True)
        ]


async def _nothing_is_said(tenant: str, user_id: str) -> dict[str, Attribute]:
    """Of any user."""
    return {}


class Shop:
    """Use it as a context; what is asynchronous runs on its own event loop."""

    def __init__(
        self,
        cache_bytes: int = CACHE_BYTES,
        tenants: Sequence[str] = ("shop",),
        items: ItemModel | None = None,
        shops: Shops | None = None,
    ) -> None:
        self.shops = shops or Shops(None, lambda: None)
        self._runner = asyncio.Runner()
        self.published = MemoryPublishedModels()
        self.recent = MemoryRecentBehaviour(lambda _: EVENT_TYPES)
        self.live = MemoryLiveCatalogue()
        self.metrics = new_metrics()
        self.purchases = MemoryPurchaseLog()
        self.store = WatchedStore(self.published, self.recent, self.live, self.purchases)
        self.tenants = tenants
        self.follower = ModelFollower(self.store, tenants, cache_bytes, self.metrics)
        self.items = items or an_item_model()
        self.wait(self._build())
        self.publish("v1")

    async def _build(self) -> None:
        self.fold_ins = FoldInWorker()
        self.shoppers = UserLists(self.store, self.fold_ins, self.metrics)
        self.streams = Streams(self.follower)
        self.servicer = RecommenderServicer(
            self.follower,
            self.shoppers,
            self.streams,
            NamedPlacements(self.shops, _nothing_is_said),
        )
        self.answers = BatchAnswers(self.follower, self.shoppers)

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, *_: object) -> None:
        self.fold_ins.close()
        self._runner.close()

    def wait(self, coming: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(coming)

    def publish(self, version: str) -> None:
        items = pack_items(self.items)
        manifest = a_manifest(version, sha256={ITEMS: sha256(items)})
        for tenant in self.tenants:
            self.published.write_items(tenant, version, manifest.to_json(), items)
            self.published.write_users(tenant, version, a_user_batch({"ann": ANN}))
            self.published.activate(tenant, version)
        self.wait(self.follower.refresh())

    def hide(self, item_id: str) -> None:
        self.put(Item(item_id, available=False))

    def show(self, item_id: str) -> None:
        self.put(Item(item_id, title=f"Item {item_id.removeprefix('i')}"))

    def put(self, item: Item) -> None:
        """Change the live catalogue."""
        self.live.write("shop", {item.item_id: item})
        self.wait(self.follower.refresh())

    def happens(
        self, user_id: str, item_id: str, event_type: str = "purchase", tenant: str = "shop"
    ) -> None:
        """An event after the training."""
        now = 5_000_000 + len(self.recent.of_user(tenant, user_id))
        event = Event(f"e{now}", user_id, item_id, event_type, timestamp_ms=now)
        self.recent.record(tenant, [event], received_ms=now)
