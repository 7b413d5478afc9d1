"""A real shop's night is as good as the one before, whatever a few odd events say of the time."""

import time
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from pyarrow import compute as pc

from infra.local.settings import REPOSITORY
from infra.local.stack import Stack
from recsys.core.domain import Event, Item
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool
from recsys.training.als import AlsSettings, Device
from recsys.training.settings import ModelSettings
from spark_jobs.nightly.gate import METRIC
from spark_jobs.nightly.run_folder import Window
from tests.integration.conftest import Seed
from tests.integration.nightly_shop import DAY_MS, Nightly, a_nightly
from tests.redis_fixture import NIGHTLY_DATABASE, empty_database

pytestmark = [pytest.mark.hbase, pytest.mark.redis, pytest.mark.timeout(600)]
_DATA = REPOSITORY / "infra" / "local" / "data" / "online_retail_ii.parquet"
_FROM, _UNTIL = datetime(2011, 2, 1), datetime(2011, 10, 1)
_SETTINGS = ModelSettings(AlsSettings(factors=32, iterations=8, device=Device.CPU))
LAST_MS = int(_UNTIL.replace(tzinfo=UTC).timestamp() * 1000)
NOW_MS = time.time_ns() // 1_000_000


def purchases() -> list[Event]:
    """Purchases of every third customer of a gift shop in eight months."""
    table = pq.read_table(
        _DATA, columns=["InvoiceNo", "StockCode", "InvoiceDate", "CustomerID", "Quantity"]
    )
    when, who = table["InvoiceDate"], table["CustomerID"]
    third = pc.equal(pc.subtract(who, pc.multiply(pc.divide(who, 3), 3)), 0)
    chosen = pc.and_(pc.greater_equal(when, _FROM), pc.less(when, _UNTIL))
    table = table.filter(pc.and_(chosen, pc.and_(third, pc.greater(table["Quantity"], 0))))
    return [
        Event(
            f"{row['InvoiceNo']}-{n}",
            str(row["CustomerID"]),
            row["StockCode"],
            "purchase",
            int(row["InvoiceDate"].replace(tzinfo=UTC).timestamp() * 1000),
        )
        for n, row in enumerate(table.to_pylist())
    ]


@pytest.fixture(scope="module")
def retail(
    store_stack: Stack, one_spark: None, hbase: str, seed: Seed, tmp_path_factory: object
) -> Nightly:
    """The shop after its first good night."""
    events = purchases()
    seed("retail", events, [Item(item_id) for item_id in {event.item_id for event in events}])
    redis_url = empty_database(store_stack, NIGHTLY_DATABASE)
    store = tmp_path_factory.mktemp("retail")  # type: ignore[attr-defined]
    shop = a_nightly(hbase, redis_url, store, "retail")
    plan = {"window": Window(0, NOW_MS + 2 * DAY_MS), "model": _SETTINGS}
    shop.run(**plan, holdout_days=60.0)
    return shop


def an_event(user_id: str, timestamp_ms: int, item_id: str = "85123A") -> Event:
    return Event(f"{user_id} {timestamp_ms}", user_id, item_id, "view", timestamp_ms)


ODD_EVENTS = {
    "one event 8 months later": [an_event("visitor-1", LAST_MS + 240 * DAY_MS)],
    "one event 2 years later": [an_event("visitor-2", LAST_MS + 730 * DAY_MS)],
    "one event of today": [an_event("visitor-3", NOW_MS)],
    "1,000 invented shoppers of today": [an_event(f"robot-{n}", NOW_MS) for n in range(1000)],
}


@pytest.mark.parametrize("odd", ODD_EVENTS)
def test_a_night_after_odd_events_is_as_good_as_the_one_before(
    retail: Nightly, hbase_pool: HBasePool, odd: str
) -> None:
    """Each case adds to the ones before, as events do in a shop."""
    before = retail.manifest()
    shoppers = retail.user_ids(before.version)[::40]
    lists = {shopper: set(retail.recommended(shopper, 20)) for shopper in shoppers}
    HBaseInteractionStore(hbase_pool).put_many("retail", ODD_EVENTS[odd], ids_given=False)

    retail.run(window=Window(0, NOW_MS + 2 * DAY_MS), model=_SETTINGS, holdout_days=None)

    after = retail.manifest()
    assert after.version != before.version
    assert before.evaluation is not None
    assert after.evaluation is not None
    assert after.evaluation.users == before.evaluation.users >= 300
    assert after.evaluation.model[METRIC] == pytest.approx(
        before.evaluation.model[METRIC], rel=0.02
    )
    same = [len(lists[s].intersection(retail.recommended(s, 20))) for s in shoppers]
    # A thousand new users make other factors of the same quality: about nine of ten items stay.
    assert sum(same) >= 0.88 * 20 * len(shoppers)
