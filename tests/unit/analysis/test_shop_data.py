"""Reading what the last run left."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.analysis.shop_data import ShopData, read_last_run
from recsys.analysis.workplace import open_workplace
from recsys.config.shop import Shop, load_shop
from recsys.core.domain import Item
from recsys.core.errors import ConfigurationError, NotFound
from recsys.stores.run_files import run_folder
from spark_jobs.nightly.run_folder import RunFolder
from tests.builders import EVENT_TYPES

SHOP = load_shop()


class _Items:
    def scan(self, tenant: str) -> list[Item]:
        return [Item("a", title="A cup"), Item("b", available=False)]


def a_run(
    model_store: Path, *events: tuple[object, ...], shop: Shop = SHOP, details: bool = False
) -> ShopData:
    """A run as notebooks see it, its events in several files as Spark writes them."""
    folder = RunFolder(run_folder(model_store, "demo"))
    folder.begin()
    folder.events.mkdir()
    (folder.events / "_SUCCESS").touch()
    types = {"user_id": pa.string(), "item_id": pa.string(), "event_type": pa.string()}
    types |= {"timestamp_ms": pa.int64()}
    types |= dict.fromkeys(("quantity", "price", "rating"), pa.float64()) if details else {}
    for part, event in enumerate(events):
        row = dict(zip(types, event, strict=True))
        table = pa.Table.from_pylist([row], pa.schema(types))
        pq.write_table(table, folder.events / f"part-{part}.parquet")
    folder.save_catalogue(_Items(), "demo")  # type: ignore[arg-type]
    return read_last_run(model_store, "demo", shop)


def test_events_come_back_in_columns(tmp_path: Path) -> None:
    data = a_run(tmp_path, ("u", "a", "view", 1), ("v", "b", "purchase", 3), ("u", "b", "view", 2))
    log = data.log

    found = {
        (log.user_ids[user], log.item_ids[item], list(log.event_types)[kind], int(time))
        for user, item, kind, time in zip(
            log.users, log.items, log.types, log.times_ms(), strict=True
        )
    }

    assert found == {("u", "a", "view", 1), ("v", "b", "purchase", 3), ("u", "b", "view", 2)}
    assert sorted(log.weights().tolist()) == pytest.approx([0.2, 0.2, 1.0])


def test_quantities_prices_and_ratings_come_along_where_they_count(tmp_path: Path) -> None:
    events = [
        ("u", "a", "order", 1, 4.0, None, None),
        ("v", "b", "order", 3, None, 8.0 * 16, None),
        ("v", "a", "review", 4, None, None, 1.0),
    ]
    data = a_run(tmp_path, *events, shop=replace(SHOP, event_types=EVENT_TYPES), details=True)

    assert data.log.weights() == pytest.approx([2.0, 2.0, -0.5])
    later = data.log.only(data.log.times_ms() > 1)
    assert later.weights() == pytest.approx([2.0, -0.5])


def test_what_counts_and_was_not_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="has no quantity, which counts: run `recsys nightly read`"):
        a_run(tmp_path, ("u", "a", "order", 1), shop=replace(SHOP, event_types=EVENT_TYPES))


def test_events_of_types_that_the_shop_no_longer_has_are_left_out(tmp_path: Path) -> None:
    data = a_run(tmp_path, ("u", "a", "view", 1), ("v", "b", "telepathy", 3))

    assert len(data.log) == 1


def test_an_item_without_a_title_goes_by_its_id(tmp_path: Path) -> None:
    data = a_run(tmp_path, ("u", "a", "view", 1))

    assert [data.title(item) for item in ("a", "b", "unknown")] == ["A cup", "b", "unknown"]
    assert data.available == {"a": True, "b": False}


def test_before_the_first_run_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="recsys nightly read"):
        read_last_run(tmp_path, "demo", SHOP)


def test_the_environment_names_the_workplace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_MODEL_STORE", str(tmp_path))
    monkeypatch.setenv("RECSYS_TENANT", "gifts")

    workplace = open_workplace()

    assert (workplace.tenant, workplace.model_store) == ("gifts", tmp_path)
    with pytest.raises(NotFound, match="no model of gifts"):
        workplace.newest_version()


def test_without_a_model_store_it_says_how_to_get_one() -> None:
    with pytest.raises(ConfigurationError, match=r"RECSYS_MODEL_STORE.*make notebook"):
        open_workplace()
