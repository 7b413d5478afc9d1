"""The made-up shop of the whole night looks like a shop."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.made_up_log import ShopFiles, write_shop

END_MS = 1_700_000_000_000
DAY_MS = 24 * 3600 * 1000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ShopFiles:
    return write_shop(tmp_path_factory.mktemp("shop"), 3000, 500, 50_000, END_MS)


def test_a_year_comes_first_and_then_a_day_each_in_the_order_of_time(files: ShopFiles) -> None:
    year, day = (pq.read_table(path)["timestamp"].to_numpy() for path in (files.year, files.day))
    assert (len(year), len(day)) == (files.year_events, files.day_events)
    assert len(year) + len(day) == pytest.approx(50_000, rel=0.05)
    assert (np.diff(year) >= 0).all()
    assert END_MS - 366 * DAY_MS <= year[0] <= year[-1] < END_MS - DAY_MS <= day[0]
    assert day[-1] <= END_MS


def test_most_of_it_is_views_and_orders_say_what_was_paid(files: ShopFiles) -> None:
    year = pq.read_table(files.year)
    counts = {
        each["values"]: each["counts"] for each in pc.value_counts(year["event_type"]).to_pylist()
    }
    assert counts["view"] > 5 * counts["add_to_cart"] > 5 * counts["purchase"] > 0
    is_order = pc.equal(year["event_type"], "purchase")
    for name in ("quantity", "price", "order_id"):
        assert year[name].is_valid().equals(is_order)


def test_few_items_have_much_of_the_behaviour_and_all_are_in_the_catalogue(
    files: ShopFiles,
) -> None:
    items = pq.read_table(files.year)["item_id"]
    counts = np.sort([each["counts"] for each in pc.value_counts(items).to_pylist()])[::-1]
    assert counts[: len(counts) // 10].sum() > counts.sum() / 4
    assert pc.all(pc.is_in(items, pq.read_table(files.items)["item_id"])).as_py()


def test_the_same_shop_is_made_up_each_time(files: ShopFiles, tmp_path: Path) -> None:
    again = write_shop(tmp_path, 3000, 500, 50_000, END_MS)
    assert pq.read_table(again.year).equals(pq.read_table(files.year))
