import asyncio

import pytest

from recsys.core.errors import NoModel, NotSetUp
from recsys.runtime.metrics import new_metrics
from recsys.stores.manifest import Manifest
from recsys.stores.memory.hidden_items import MemoryHiddenItems
from recsys.stores.memory.published import MemoryPublishedModels, MemoryServingStore
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.model_codec import pack_items
from recsys.stores.model_files import ITEMS
from services.recommender.model import follower as follower_module
from services.recommender.model.follower import REFUSED_SECONDS, ModelFollower
from tests.builders import EVENT_TYPES, a_manifest, an_item_model, sha256


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Shop:
    """A follower over twins, and what tests do to them."""

    def __init__(self) -> None:
        self.published = MemoryPublishedModels()
        self.hidden_items = MemoryHiddenItems()
        self.clock = Clock()
        self.metrics = new_metrics()
        store = MemoryServingStore(
            self.published, MemoryRecentBehaviour(EVENT_TYPES), self.hidden_items
        )
        self.follower = ModelFollower(
            store, ["shop"], cache_bytes=0, metrics=self.metrics, clock=self.clock
        )

    def publish(self, version: str, items: bytes | None = None) -> None:
        whole = pack_items(an_item_model())
        manifest = a_manifest(version, sha256={ITEMS: sha256(whole)})
        self.published.write_items("shop", version, manifest.to_json(), items or whole)
        self.published.activate("shop", version)

    def refresh(self) -> None:
        asyncio.run(self.follower.refresh())

    @property
    def version(self) -> str:
        return self.follower.serving("shop").model.version


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_before_the_first_model_the_service_says_what_is_missing(shop: Shop) -> None:
    shop.refresh()
    with pytest.raises(NoModel, match="no model yet: run `recsys nightly`"):
        shop.follower.serving("shop")


def test_a_loaded_model_is_told_of(shop: Shop) -> None:
    told: list[str] = []

    async def tell(tenant: str) -> None:
        told.append(tenant)

    shop.follower.on_model_loaded = tell
    shop.refresh()
    assert (told, shop.follower.tenants_without_model()) == ([], ["shop"])
    shop.publish("v1")
    shop.refresh()
    shop.refresh()
    assert (told, shop.follower.tenants_without_model()) == (["shop"], [])


def test_another_tenant_is_not_served(shop: Shop) -> None:
    with pytest.raises(NotSetUp):
        shop.follower.serving("othershop")


def test_it_follows_the_pointer(shop: Shop) -> None:
    for version in ("v1", "v2", "v1"):
        shop.publish(version)
        shop.refresh()
        assert shop.version == version


@pytest.mark.parametrize("damage", [b"truncated", pack_items(an_item_model(seed=9))])
def test_a_damaged_model_is_refused_and_the_old_one_stays(shop: Shop, damage: bytes) -> None:
    shop.publish("v1")
    shop.refresh()
    shop.publish("v2", damage)
    shop.refresh()
    assert shop.version == "v1"
    refused = shop.metrics.registry.get_sample_value(
        "recsys_model_refused_total", {"tenant": "shop"}
    )
    assert refused == 1


def test_a_refused_version_is_taken_once_it_was_published_whole(shop: Shop) -> None:
    shop.publish("v1", b"truncated")
    shop.refresh()
    shop.publish("v1")
    shop.refresh()
    with pytest.raises(NoModel):
        shop.follower.serving("shop")
    shop.clock.now += REFUSED_SECONDS
    shop.refresh()
    assert shop.version == "v1"


def test_hidden_items_are_known_by_row_and_survive_a_model_swap(shop: Shop) -> None:
    shop.publish("v1")
    shop.hidden_items.hide("shop", "i2")
    shop.hidden_items.hide("shop", "not in the model")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}
    shop.publish("v2")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}
    shop.hidden_items.show("shop", "i2")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == set()


def test_a_store_that_lost_its_data_leaves_the_model_and_what_must_not_be_shown(
    shop: Shop,
) -> None:
    shop.publish("v1")
    shop.hidden_items.hide("shop", "i2")
    shop.refresh()
    del shop.published.pointers["shop"]
    shop.hidden_items.show("shop", "i2")
    shop.refresh()
    lost = shop.follower.serving("shop")
    assert (lost.model.version, lost.hidden, lost.is_lost) == ("v1", {2}, True)

    shop.publish("v1")
    shop.hidden_items.hide("shop", "i3")
    shop.refresh()
    again = shop.follower.serving("shop")
    assert (again.model.version, again.hidden, again.is_lost) == ("v1", {3}, False)


def test_what_is_hidden_stays_when_the_store_is_emptied_while_it_is_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.publish("v1")
    shop.hidden_items.hide("shop", "i2")
    shop.refresh()
    hidden = MemoryServingStore.hidden

    async def emptied(store: MemoryServingStore, tenant: str) -> set[str]:
        shop.published.pointers.clear()
        return await hidden(store, tenant)

    monkeypatch.setattr(MemoryServingStore, "hidden", emptied)
    shop.hidden_items.show("shop", "i2")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}


def test_a_manifest_of_another_format_is_refused(shop: Shop) -> None:
    shop.publish("v1")
    shop.refresh()
    future: Manifest = a_manifest("v2", format=99)
    shop.published.write_items("shop", "v2", future.to_json(), b"")
    shop.published.activate("shop", "v2")
    shop.refresh()
    assert shop.version == "v1"


def test_the_hidden_items_are_read_again_only_when_they_changed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    hidden = MemoryServingStore.hidden

    async def counted(store: MemoryServingStore, tenant: str) -> set[str]:
        read.append(tenant)
        return await hidden(store, tenant)

    monkeypatch.setattr(MemoryServingStore, "hidden", counted)
    shop.publish("v1")
    for _ in range(3):
        shop.refresh()
    assert len(read) == 1
    shop.hidden_items.hide("shop", "i2")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}
    assert len(read) == 2


def test_memory_is_given_back_once_after_each_swap(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[str] = []
    monkeypatch.setattr(follower_module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(
        follower_module, "give_memory_back", lambda: given_back.append(shop.version)
    )

    async def follow() -> None:
        following = asyncio.create_task(shop.follower.follow())
        for version in ("v1", "v2"):
            shop.publish(version)
            async with asyncio.timeout(10):
                while version not in given_back:
                    await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
        following.cancel()

    asyncio.run(follow())
    assert given_back == ["v1", "v2"]
