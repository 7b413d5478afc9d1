import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from structlog.testing import capture_logs

from recsys.core.catalogue import CatalogueChanges, CatalogueRow
from recsys.core.domain import Item
from recsys.core.errors import NoModel, NotSetUp, Unavailable
from recsys.core.model import ItemModel
from recsys.runtime.metrics import new_metrics
from recsys.stores.manifest import Manifest
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from recsys.stores.memory.published import MemoryPublishedModels, MemoryServingStore
from recsys.stores.memory.purchases import MemoryPurchaseLog
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.model_codec import pack_items
from recsys.stores.model_files import ITEMS
from services.recommender.model import follower as follower_module
from services.recommender.model.follower import REFUSED_SECONDS, ModelFollower
from tests.builders import EVENT_TYPES, a_manifest, an_item_model, sha256
from tests.clock import Clock


class Shop:
    """A follower over twins, and what tests do to them."""

    def __init__(self) -> None:
        self.published = MemoryPublishedModels()
        self.live = MemoryLiveCatalogue()
        self.clock = Clock()
        self.metrics = new_metrics()
        store = MemoryServingStore(
            self.published,
            MemoryRecentBehaviour(lambda _: EVENT_TYPES),
            self.live,
            MemoryPurchaseLog(),
        )
        self.follower = ModelFollower(
            store, ["shop"], cache_bytes=0, metrics=self.metrics, clock=self.clock
        )

    def publish(
        self, version: str, items: bytes | None = None, model: ItemModel | None = None
    ) -> None:
        whole = pack_items(model or an_item_model())
        manifest = a_manifest(version, sha256={ITEMS: sha256(whole)})
        self.published.write_items("shop", version, manifest.to_json(), items or whole)
        self.published.activate("shop", version)

    def refresh(self) -> None:
        asyncio.run(self.follower.refresh())

    def hide(self, item_id: str) -> None:
        self.live.write("shop", {item_id: Item(item_id, available=False)})

    def show(self, item_id: str) -> None:
        self.live.write("shop", {item_id: Item(item_id)})

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


def test_how_old_the_data_of_a_model_is_can_be_watched(shop: Shop) -> None:
    shop.publish("v1")
    shop.refresh()
    model = shop.follower.serving("shop").model
    found = shop.metrics.registry.get_sample_value(
        "recsys_model_data_timestamp_seconds", {"tenant": "shop"}
    )
    assert found == model.params.read_at_ms / 1000 > 0


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
    shop.hide("i2")
    shop.hide("not in the model")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}
    shop.publish("v2")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}
    shop.show("i2")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == set()


def test_a_store_that_lost_its_data_leaves_the_model_and_what_must_not_be_shown(
    shop: Shop,
) -> None:
    shop.publish("v1")
    shop.hide("i2")
    shop.refresh()
    del shop.published.pointers["shop"]
    shop.live.lose()
    shop.refresh()
    lost = shop.follower.serving("shop")
    assert (lost.model.version, lost.hidden, lost.is_lost) == ("v1", {2}, True)

    shop.publish("v1")
    shop.hide("i3")
    shop.refresh()
    again = shop.follower.serving("shop")
    assert (again.model.version, again.hidden, again.is_lost) == ("v1", {3}, False)


def test_what_is_hidden_stays_when_the_store_is_emptied_while_it_is_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.publish("v1")
    shop.hide("i2")
    shop.refresh()
    catalogue = MemoryServingStore.catalogue

    async def emptied(
        store: MemoryServingStore, tenant: str
    ) -> AsyncIterator[Mapping[str, CatalogueRow]]:
        shop.published.pointers.clear()
        shop.live.lose()
        async for rows in catalogue(store, tenant):
            yield rows

    monkeypatch.setattr(MemoryServingStore, "catalogue", emptied)
    shop.live.log.clear()
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}


def test_a_manifest_of_another_format_is_refused(shop: Shop) -> None:
    shop.publish("v1")
    shop.refresh()
    told: list[str | None] = []
    shop.follower.on_change = lambda: told.append(shop.follower.serving("shop").refused)
    future: Manifest = a_manifest("v2", format=99, least_reader=99)
    shop.published.write_items("shop", "v2", future.to_json(), b"")
    shop.published.activate("shop", "v2")
    with capture_logs() as logs:
        shop.refresh()
        shop.clock.now += REFUSED_SECONDS
        shop.refresh()
    assert shop.version == "v1"
    assert told == ["v2"]
    assert "needs a release that reads format 99" in logs[0]["reason"]
    shop.published.activate("shop", "v1")
    shop.refresh()
    assert told == ["v2", None]


def test_where_the_only_model_is_too_new_it_is_not_said_that_there_is_none(shop: Shop) -> None:
    future = a_manifest("v2", format=99, least_reader=99)
    shop.published.write_items("shop", "v2", future.to_json(), b"")
    shop.published.activate("shop", "v2")
    shop.refresh()
    with pytest.raises(NoModel, match="cannot be loaded by this release"):
        shop.follower.serving("shop")


@pytest.fixture
def read_whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tenants whose whole catalogue was read."""
    tenants: list[str] = []
    catalogue = MemoryServingStore.catalogue

    async def counted(
        store: MemoryServingStore, tenant: str
    ) -> AsyncIterator[Mapping[str, CatalogueRow]]:
        tenants.append(tenant)
        async for rows in catalogue(store, tenant):
            yield rows

    monkeypatch.setattr(MemoryServingStore, "catalogue", counted)
    return tenants


def test_the_catalogue_is_read_whole_once_and_then_what_changes(
    shop: Shop, read_whole: list[str]
) -> None:
    shop.show("i3")
    shop.publish("v1")
    for _ in range(3):
        shop.refresh()
    shop.hide("i2")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}
    shop.publish("v2")
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}
    assert read_whole == ["shop"]


def test_a_log_that_was_cut_makes_the_catalogue_be_read_whole_again(
    shop: Shop, read_whole: list[str]
) -> None:
    shop.show("i2")
    shop.publish("v1")
    shop.refresh()
    shop.hide("i2")
    shop.live.log.clear()
    shop.hide("i3")

    shop.refresh()

    assert shop.follower.serving("shop").hidden == {2, 3}
    assert read_whole == ["shop", "shop"]


def test_a_change_is_not_forgotten_when_the_store_goes_away_after_it_was_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.show("i3")
    shop.publish("v1")
    shop.refresh()
    changes, asked = MemoryServingStore.catalogue_changes, []

    async def once(
        store: MemoryServingStore, tenant: str, after: str | None
    ) -> CatalogueChanges | None:
        asked.append(after)
        if len(asked) == 2:
            raise Unavailable("redis", "away")
        return await changes(store, tenant, after)

    monkeypatch.setattr(MemoryServingStore, "catalogue_changes", once)
    shop.hide("i2")
    with pytest.raises(Unavailable):
        shop.refresh()
    shop.refresh()
    assert shop.follower.serving("shop").hidden == {2}


def offered(shop: Shop) -> list[bool]:
    return shop.follower.serving("shop").now.shown.tolist()


def test_an_item_that_was_trained_as_sold_out_is_back_as_soon_as_it_can_be_bought(
    shop: Shop,
) -> None:
    sold_out = an_item_model().eligible
    sold_out[2] = False
    shop.hide("i2")
    shop.publish("v1", model=an_item_model(eligible=sold_out))
    shop.refresh()
    assert offered(shop) == [True, True, False, True, True, True]
    shop.show("i2")
    shop.refresh()
    now = shop.follower.serving("shop")
    assert all(offered(shop))
    assert now.now.returned.rows.tolist() == [2]
    assert now.shown_again_number == now.catalogue_number == 1
    shop.hide("i2")
    shop.refresh()
    assert offered(shop) == [True, True, False, True, True, True]
    assert shop.follower.serving("shop").now.returned.rows.tolist() == []
    shop.show("i2")
    shop.publish("v2", model=an_item_model(eligible=sold_out))
    shop.refresh()
    assert all(offered(shop))


def test_without_a_live_catalogue_the_word_of_the_model_counts(shop: Shop) -> None:
    eligible = an_item_model().eligible
    eligible[2] = False
    shop.publish("v1", model=an_item_model(eligible=eligible))
    shop.refresh()
    assert offered(shop) == eligible.tolist()
    shop.show("i4")
    shop.refresh()
    assert offered(shop) == eligible.tolist()


def test_titles_and_prices_are_those_of_the_catalogue(shop: Shop) -> None:
    shop.live.write("shop", {"i1": Item("i1", title="Renamed")})
    shop.publish("v1")
    shop.refresh()

    def shown() -> list[bytes]:
        items = shop.follower.serving("shop").model.shown
        return [items.fragment_of(row)[13:-9] for row in range(3)]

    assert shown() == [
        b'0","title":"Item 0","price":null',
        b'1","title":"Renamed","price":null',
        b'2","title":"Item 2","price":null',
    ]
    shop.live.write("shop", {"i2": Item("i2", title="Item 2", brand="what no answer shows")})
    shop.refresh()
    assert shop.follower.serving("shop").catalogue_number == 0
    shop.live.write("shop", {"i2": Item("i2", price=5.25), "i1": Item("i1", title="Item 1")})
    shop.refresh()
    assert shop.follower.serving("shop").catalogue_number == 1
    now = [
        b'0","title":"Item 0","price":null',
        b'1","title":"Item 1","price":null',
        b'2","title":null,"price":5.25',
    ]
    assert shown() == now
    shop.publish("v2")
    shop.refresh()
    assert shown() == now


def test_items_that_no_model_knows_have_a_row_from_the_moment_they_can_be_bought(
    shop: Shop,
) -> None:
    shop.publish("v1")
    shop.live.write("shop", {"coming": Item("coming", available=False)})
    shop.refresh()
    before = shop.follower.serving("shop")
    assert list(before.now.newest(0, 0)) == []
    shop.live.write("shop", {"new": Item("new", title="New"), "newer": Item("newer", price=2.5)})
    shop.refresh()
    now = shop.follower.serving("shop")
    items = now.model.shown
    assert [items.id_of(row) for row in now.now.newest(0, 0)] == ["newer", "new"]
    assert items.price_of(7) == 2.5
    assert now.shown_again_number == now.catalogue_number == 1
    shop.live.write("shop", {"new": None, "coming": Item("coming")})
    shop.refresh()
    now = shop.follower.serving("shop")
    assert [items.id_of(row) for row in now.now.newest(0, 0)] == ["coming", "newer"]


def test_an_item_of_which_another_arrival_is_said_is_new_by_that(shop: Shop) -> None:
    shop.publish("v1")
    day = 1_700_000_000_000

    def write(item_id: str, created: int, published: int | None = None) -> None:
        publish_ms = None if published is None else day + published
        item = Item(item_id, created_ms=day + created, publish_ms=publish_ms)
        shop.live.write("shop", {item_id: item})
        shop.refresh()

    write("i1", 1000)
    write("i2", 2000)

    def newest() -> list[str]:
        serving = shop.follower.serving("shop")
        return [serving.model.shown.id_of(row) for row in serving.now.newest(day + 500, day + 5000)]

    assert newest() == ["i2", "i1"]
    write("i1", 3000)
    assert newest() == ["i1", "i2"]
    write("i2", 100)
    assert newest() == ["i1"]
    write("i1", 100, published=400)
    assert newest() == []


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


def test_an_item_is_shown_from_its_publishing_to_its_expiry_without_any_event(shop: Shop) -> None:
    now_ms = 10**12
    shop.follower._catalogues["shop"]._now_ms = lambda: now_ms
    known = an_item_model().ids.id_of(0)
    period = {"publish_ms": now_ms + 10, "expire_ms": now_ms + 20}
    shop.live.write("shop", {i: Item(i, **period) for i in (known, "newcomer")})
    shop.publish("v1")
    shown = []
    for _ in range(4):
        shop.refresh()
        serving = shop.follower.serving("shop")
        found = [serving.model.shown.row_of(item_id) for item_id in (known, "newcomer")]
        shown.append([row is not None and row not in serving.hidden for row in found])
        now_ms += 10 if len(shown) > 1 else 5
    assert shown == [[False, False], [False, False], [True, True], [False, False]]


def test_an_item_without_stock_is_hidden_until_there_is_some(shop: Shop) -> None:
    item_id = an_item_model().ids.id_of(0)
    shop.publish("v1")
    for quantity, hidden in ((0.0, {0}), (2.0, set()), (None, set())):
        shop.live.write("shop", {item_id: Item(item_id, quantity=quantity)})
        shop.refresh()
        assert shop.follower.serving("shop").hidden == hidden


def test_a_store_that_names_no_version_is_shown_before_the_first_and_after_a_loss(
    shop: Shop,
) -> None:
    def is_published() -> float | None:
        return shop.metrics.registry.get_sample_value("recsys_model_published", {"tenant": "shop"})

    shop.refresh()
    assert is_published() == 0

    shop.publish("v1")
    shop.refresh()
    assert is_published() == 1

    shop.published.pointers.clear()
    shop.refresh()
    # The model goes on serving, so that nothing else tells of it.
    assert shop.version == "v1"
    assert is_published() == 0
