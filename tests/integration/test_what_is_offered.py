"""Only available items are recommended, after changes by API, by file and through nightly runs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from recsys.core.domain import Item
from recsys.importing.bulk_writer import Tally
from recsys.importing.importer import Importer
from recsys.importing.plan import Reading, plan_items
from recsys.stores.hbase.imports import HBaseImportLedger
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from services.ingest.catalogue import Catalogue
from tests.integration.conftest import Seed
from tests.integration.nightly_shop import Nightly, shop_events, shop_items

pytestmark = [pytest.mark.hbase, pytest.mark.redis]

# The one item of their taste that a fan of it has not bought: first in their list.
FAN, WANTED = "a-fan1", "a1"


@dataclass(frozen=True)
class Shop:
    """The ways to change the catalogue of a nightly run's shop."""

    nightly: Nightly
    pool: HBasePool
    redis: Redis
    folder: Path

    @property
    def tenant(self) -> str:
        return self.nightly.plan.tenant

    @property
    def api(self) -> Catalogue:
        """As the ingest service changes it."""
        return Catalogue(HBaseItemStore(self.pool), RedisLiveCatalogue(self.redis))

    def import_file(self, *items: dict[str, object]) -> None:
        """As `recsys import items` changes it."""
        path = self.folder / "items.jsonl"
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
        live = RedisLiveCatalogue(self.redis)
        plan = plan_items(Reading(path), self.tenant, HBaseItemStore(self.pool), live)
        importer = Importer(self.tenant, HBaseImportLedger(self.pool), self.folder)
        assert not importer.run(plan, Tally(), lambda _: None).has_too_many_rejected

    def set_available(self, way: str, available: bool) -> None:
        if way == "api":
            self.api.patch(self.tenant, WANTED, {"available": available})
        else:
            self.import_file({"item_id": WANTED, "available": available})

    def recommends(self) -> bool:
        return WANTED in self.nightly.recommended(FAN)


@pytest.fixture(scope="module")
def seeded_shop(seed: Seed) -> str:
    """A shop of these tests' own, since they change its catalogue; `nightly` runs over it."""
    seed("offered", shop_events(), shop_items())
    return "offered"


@pytest.fixture
def shop(nightly: Nightly, hbase_pool: HBasePool, tmp_path: Path) -> Iterator[Shop]:
    """A shop with a model that recommends WANTED to FAN."""
    with connect(nightly.redis_url) as redis:
        shop = Shop(nightly, hbase_pool, redis, tmp_path)
        shop.api.put(shop.tenant, Item(WANTED))
        nightly.run()
        assert shop.recommends()
        yield shop


def test_an_item_hidden_by_a_file_is_not_recommended(shop: Shop) -> None:
    shop.set_available("file", False)
    assert not shop.recommends()
    shop.nightly.run()
    assert not shop.recommends()


def test_an_item_hidden_by_the_api_and_shown_by_a_file_is_back_and_stays(shop: Shop) -> None:
    shop.set_available("api", False)
    assert not shop.recommends()
    shop.set_available("file", True)
    assert shop.recommends()
    shop.nightly.run()
    assert shop.recommends()


@pytest.mark.parametrize("way", ["api", "file"])
def test_an_item_hidden_during_a_nightly_run_is_back_as_soon_as_it_is_shown(
    shop: Shop, way: str
) -> None:
    shop.set_available(way, False)
    shop.nightly.run()
    assert not shop.recommends()
    shop.set_available(way, True)
    assert shop.recommends()


def test_an_item_removed_before_a_nightly_run_is_back_as_soon_as_it_is_put(shop: Shop) -> None:
    shop.api.delete(shop.tenant, WANTED)
    assert not shop.recommends()
    shop.nightly.run()
    assert not shop.recommends()
    shop.api.put(shop.tenant, Item(WANTED))
    assert shop.recommends()


def test_removing_what_never_was_leaves_nothing_in_redis(shop: Shop) -> None:
    before, position = shop.redis.dbsize(), _log_length(shop)
    items = shop.redis.hlen(keys.catalogue(shop.tenant))
    for number in range(100):
        shop.api.delete(shop.tenant, f"never was {number}")
    assert (shop.redis.dbsize(), _log_length(shop)) == (before, position)
    assert shop.redis.hlen(keys.catalogue(shop.tenant)) == items


def test_the_live_catalogue_has_every_item_and_forgets_what_no_model_recommends(shop: Shop) -> None:
    live = RedisLiveCatalogue(shop.redis)
    assert {item.item_id for item in shop_items()} <= set(live.ids(shop.tenant))
    shop.api.put(shop.tenant, Item("short-lived"))
    shop.api.delete(shop.tenant, "short-lived")
    assert live.known(shop.tenant, ["short-lived", "ghost"]) == {"short-lived"}
    shop.nightly.run(force=True)
    assert live.known(shop.tenant, ["short-lived", "ghost"]) == set()


def _log_length(shop: Shop) -> int:
    return int(shop.redis.xlen(keys.catalogue_log(shop.tenant)))
