"""A small shop whose right answers are known, and a nightly run over it."""

import asyncio
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from recsys.config.shop import load_shop
from recsys.core.domain import Event, Item
from recsys.core.model import ItemModel
from recsys.core.serving.request import RecommendationRequest, UserTarget
from recsys.runtime.metrics import new_metrics
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import connect, connect_async
from recsys.stores.redis.multiplexed import MultiplexedRedis
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.serving import RedisServingStore
from recsys.training.als import AlsSettings, Device
from recsys.training.settings import ModelSettings
from recsys.tuning import FitEffort
from services.recommender.asked import Asked
from services.recommender.fold_in_worker import FoldInWorker
from services.recommender.model.follower import ModelFollower
from services.recommender.user_lists import UserLists
from services.recommender.user_result import UserResult
from spark_jobs.nightly.plan import Plan, Step
from spark_jobs.nightly.run import run_nightly, serve_stored
from spark_jobs.nightly.run_folder import Window
from spark_jobs.settings import BatchSettings
from tests.builders import checkerboard

DAY_MS = 86_400_000
NOW_MS = 1_300_000_000_000
WINDOW = Window(0, NOW_MS + DAY_MS)
ALS = AlsSettings(factors=16, alpha=5.0, regularization=0.05, iterations=10, device=Device.CPU)
MODEL = ModelSettings(ALS)
SIZE = 16


def an_event(
    user_id: str, item_id: str, event_type: str = "purchase", days_ago: float = 0.0
) -> Event:
    timestamp_ms = int(NOW_MS - days_ago * DAY_MS)
    event_id = f"{user_id} {event_type} {item_id} {timestamp_ms}"
    return Event(event_id, user_id, item_id, event_type, timestamp_ms)


def checkerboard_events() -> list[Event]:
    """Shopper c0 should be recommended item c0, and so on: the one of their colour they lack."""
    rows, columns = checkerboard(SIZE).nonzero()
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [an_event(f"c{row}", f"c{column}") for row, column in pairs]


def two_tastes_events() -> list[Event]:
    """UserLists of two tastes, a and b, and two who have some of both.

    viewer looks at many a and bought one b; changer looked at a long ago and at b today.
    """
    fans = [
        an_event(f"{taste}-fan{fan}", f"{taste}{item}")
        for taste in "ab"
        for fan in range(20)
        for item in range(20)
        if fan != item
    ]
    viewer = [
        an_event("viewer", f"a{item}", "view", days_ago=day / 10)
        for item in range(4)
        for day in range(5)
    ]
    bought = [an_event("viewer", "b0")]
    before = [an_event("changer", f"a{item}", "view", days_ago=300) for item in range(6)]
    today = [an_event("changer", f"b{item}", "view") for item in range(4)]
    return [*fans, *viewer, *bought, *before, *today]


def odd_items_events() -> list[Event]:
    """Everybody's favourites that must not be recommended: sold out, and not in the catalogue."""
    return [an_event(f"a-fan{fan}", odd) for fan in range(15) for odd in ("sold out", "ghost")]


def shop_events() -> list[Event]:
    return [*checkerboard_events(), *two_tastes_events(), *odd_items_events()]


def shop_items() -> list[Item]:
    ids = sorted({event.item_id for event in shop_events()} - {"ghost", "sold out"})
    items = [Item(item_id, title=f"Title of {item_id}") for item_id in ids]
    return [*items, Item("sold out", available=False), Item("never touched", title="New")]


@dataclass
class KeptNight:
    """What the first night over the shop leaves behind, for the next test to begin with.

    Attributes:
        folder: for a copy of the model store, which is not there before the first night.
        tenant: whose night it was.
        redis: the values of the keys, as Redis dumps them.
        said: what the operator was told.
    """

    folder: Path
    tenant: str = ""
    redis: dict[bytes, bytes] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def take(self, nightly: "Nightly") -> None:
        self.tenant, self.said = nightly.plan.tenant, list(nightly.said)
        shutil.copytree(nightly.settings.model_store, self.folder)
        with connect(nightly.redis_url) as redis:
            for key in redis.scan_iter():
                assert redis.pttl(key) == -1, f"{key!r} does not stay"
                self.redis[key] = redis.dump(key)

    def give(self, nightly: "Nightly") -> None:
        assert nightly.plan.tenant == self.tenant
        nightly.said = list(self.said)
        shutil.copytree(self.folder, nightly.settings.model_store)
        with connect(nightly.redis_url) as redis:
            for key, value in self.redis.items():
                redis.restore(key, 0, value)


@dataclass
class Nightly:
    """Runs of one tenant, on a model store and a Redis database of the test's own.

    Attributes:
        first: that of other tests.
        said: what runs told the operator.
    """

    settings: BatchSettings
    plan: Plan
    first: KeptNight | None = None
    said: list[str] = field(default_factory=list)

    def first_night(self) -> None:
        """Run for the first time, unless another test has: then have what that run left."""
        if self.first is not None and self.first.redis:
            self.first.give(self)
            return
        self.run()
        if self.first is not None:
            self.first.take(self)

    def run(self, steps: Collection[Step] = tuple(Step), **changes: object) -> None:
        self.said.clear()
        run_nightly(self.settings, replace(self.plan, **changes), steps, self.said.append)  # type: ignore[arg-type]

    def serve_stored(self, version: str) -> None:
        serve_stored(self.settings, self.plan.tenant, version, self.said.append)

    @property
    def published(self) -> RedisPublishedModels:
        return RedisPublishedModels(connect(self.redis_url))

    @property
    def models(self) -> ModelFiles:
        return ModelFiles(self.settings.model_store)

    @property
    def redis_url(self) -> str:
        return self.settings.redis_url.get_secret_value()

    def serving(self) -> str | None:
        return self.published.current(self.plan.tenant)

    def versions(self) -> list[str]:
        return self.models.versions(self.plan.tenant)

    def manifest(self) -> Manifest:
        """Of the serving version."""
        version = self.serving()
        assert version is not None
        return self.models.manifest(self.plan.tenant, version)

    def items(self) -> ItemModel:
        return self.models.items(self.plan.tenant, self.manifest().version)

    def user_ids(self, version: str) -> list[str]:
        return list(self.models.users(self.plan.tenant, version).ids)

    def keys(self) -> set[str]:
        """Versions that have any key in Redis."""
        with connect(self.redis_url) as redis:
            found = redis.scan_iter(f"recsys:{self.plan.tenant}:v:*")
            return {key.decode().split(":")[3] for key in found}

    def recommended(self, user_id: str, limit: int = 10) -> list[str]:
        """Item ids as a recommender that follows the pointer answers them."""
        return asyncio.run(self._ask(user_id, limit))

    async def _ask(self, user_id: str, limit: int) -> list[str]:
        tenant, client = self.plan.tenant, connect_async(self.redis_url, timeout_seconds=5)
        shared = MultiplexedRedis(self.redis_url, timeout_seconds=5)
        store = RedisServingStore(client, shared)
        metrics = new_metrics()
        follower = ModelFollower(store, [tenant], cache_bytes=0, metrics=metrics)
        await follower.refresh()
        fold_ins = FoldInWorker()
        shoppers = UserLists(store, fold_ins, metrics)
        request = RecommendationRequest(tenant, UserTarget(user_id), limit)
        query = Asked.of(follower.serving(tenant), request, within_seconds=10.0)
        [found] = await shoppers.find([query])
        result = found if isinstance(found, UserResult) else await found
        fold_ins.close()
        await shared.aclose()
        await client.aclose()
        shown = query.serving.model.shown
        return [shown.id_of(entry.item_index) for entry in result.recommendations().ranked]


def a_nightly(
    hbase: str, redis_url: str, model_store: Path, tenant: str, thrift2: str | None = None
) -> Nightly:
    settings = BatchSettings(
        tenant=tenant,
        hbase_thrift=hbase,
        hbase_thrift2=thrift2,
        redis_url=redis_url,
        model_store=model_store,
        spark_master="local[2]",
        spark_memory="512m",
    )
    plan = Plan(tenant, WINDOW, load_shop(), MODEL, effort=FitEffort.OFF, holdout_days=1.0)
    return Nightly(settings, plan)
