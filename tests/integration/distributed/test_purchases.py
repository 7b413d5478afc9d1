"""Lines of orders by Spark: what stands in one basket, what came again, how many bought it when."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from recsys.config.shop import Shop
from recsys.core.errors import NotFound
from recsys.core.shop_time import Pause, ShopTime
from recsys.core.vocabulary import Vocabulary
from spark_jobs.nightly.purchases import read_purchases, read_repurchases, read_shoppers
from tests.builders import EVENT_TYPES, repurchases

SHOP = Shop(60.0, 14.0, ("purchase",), EVENT_TYPES)
ITEMS = Vocabulary(["ale", "bun", "cod"])
COLUMNS = ("user_id", "item_id", "event_type", "timestamp_ms", "order_id")
LINES = [
    # One order, though its lines come at different moments.
    ("ann", "ale", "purchase", 1, "o1"),
    ("ann", "cod", "purchase", 2, "o1"),
    # One moment of one user, without an order.
    ("bob", "ale", "purchase", 1, None),
    ("bob", "bun", "purchase", 1, None),
    ("bob", "bun", "purchase", 3, None),
    # Another user's order of the same name.
    ("cat", "cod", "purchase", 1, "o1"),
    # No purchase, nothing the model has, and too late.
    ("ann", "bun", "view", 1, "o1"),
    ("ann", "dip", "purchase", 1, "o1"),
    ("ann", "bun", "purchase", 9, "o1"),
]


def written(folder: Path, lines: list[tuple[object, ...]], columns: tuple[str, ...]) -> Path:
    for part in range(2):
        some = [dict(zip(columns, line, strict=False)) for line in lines[part::2]]
        schema = pa.schema([("timestamp_ms", pa.int64())])
        table = pa.table(
            {
                name: pa.array(
                    [line[name] for line in some],
                    schema.field(name).type if name in schema.names else pa.string(),
                )
                for name in columns
            }
        )
        pq.write_table(table, folder / f"{part}.parquet")
    return folder


def test_a_basket_is_an_order_or_a_moment_of_one_user(
    cluster: SparkSession, tmp_path: Path
) -> None:
    events = written(tmp_path, LINES, COLUMNS)
    found = read_purchases(cluster, events, SHOP, ITEMS, before_ms=9)
    baskets = {
        tuple(sorted(found.items[found.baskets == basket].tolist()))
        for basket in np.unique(found.baskets)
    }
    assert baskets == {(0, 2), (0, 1), (1,), (2,)}
    assert (found.items.dtype, found.baskets.dtype) == (np.int32, np.int64)


def test_events_without_order_ids_are_to_be_read_again(
    cluster: SparkSession, tmp_path: Path
) -> None:
    events = written(tmp_path, LINES, COLUMNS[:-1])
    with pytest.raises(NotFound, match="has no order_id: run `recsys nightly read` first"):
        read_purchases(cluster, events, SHOP, ITEMS, before_ms=9)


def test_what_was_bought_on_two_days_is_bought_again(cluster: SparkSession, tmp_path: Path) -> None:
    day = 86_400_000
    lines: list[tuple[object, ...]] = [
        ("ann", "ale", "purchase", 10 * day, "o1"),
        ("ann", "ale", "purchase", 10 * day + 5, "o2"),
        ("ann", "ale", "purchase", 13 * day, "o3"),
        ("ann", "ale", "view", 14 * day, None),
        # On one day, only looked at, too late, and unknown to the model.
        ("ann", "bun", "purchase", 10 * day, "o1"),
        ("ann", "bun", "purchase", 10 * day + 9, "o2"),
        ("ann", "cod", "view", 1 * day, None),
        ("ann", "cod", "view", 2 * day, None),
        ("bob", "bun", "purchase", 11 * day, None),
        ("bob", "bun", "purchase", 40 * day, None),
        ("cat", "dip", "purchase", 11 * day, None),
        ("cat", "dip", "purchase", 12 * day, None),
        # Disliked since, and bought all the same.
        *[
            ("cat", item, "purchase", when * day, None)
            for item in ("ale", "cod")
            for when in (1, 5)
        ],
        ("cat", "ale", "dislike", 6 * day, None),
        ("cat", "cod", "dislike", 4 * day, None),
    ]
    events = written(tmp_path, lines, COLUMNS)
    users = Vocabulary(["ann", "bob", "cat"])
    found = read_repurchases(cluster, events, SHOP, users, ITEMS, before_ms=40 * day)
    assert found.indptr.tolist() == [0, 1, 1, 2]
    assert vars(found.of_user(0)) == vars(repurchases([(0, 2, 10, 13)]))
    assert vars(found.of_user(2)) == vars(repurchases([(2, 2, 1, 5)]))


def test_shoppers_are_counted_once_in_each_window_and_in_its_past(
    cluster: SparkSession, tmp_path: Path
) -> None:
    day = 86_400_000
    lines: list[tuple[object, ...]] = [
        ("ann", "ale", "purchase", 100 * day, "o1"),
        ("ann", "ale", "purchase", 100 * day - 1, "o2"),
        ("bob", "ale", "purchase", 94 * day, None),
        ("bob", "ale", "purchase", 80 * day, None),
        # In the past of one day, of both windows, and before all.
        ("cat", "bun", "purchase", 97 * day, None),
        ("cat", "bun", "purchase", 90 * day, None),
        ("cat", "cod", "purchase", 64 * day, None),
        # No purchase, unknown to the model, and too late.
        ("dan", "bun", "view", 100 * day, None),
        ("dan", "dip", "purchase", 100 * day, None),
        ("dan", "cod", "purchase", 101 * day, None),
    ]
    events = written(tmp_path, lines, COLUMNS)
    shop = replace(SHOP, windows_days=(1, 7))

    def counted(shop_time: ShopTime) -> dict[int, list[list[int]]]:
        found = read_shoppers(
            cluster, events, shop, ITEMS, before_ms=101 * day, shop_time=shop_time
        )
        return {days: [each.tolist() for each in counts] for days, counts in found.items()}

    assert counted(ShopTime(100 * day)) == {
        1: [[1, 0, 0], [0, 1, 0]],
        7: [[2, 1, 0], [1, 1, 0]],
    }
    # A pause of the shop is no time: what came before it is as old as if there had been none.
    paused = ShopTime(100 * day, (Pause(65 * day, 93 * day),))
    assert counted(paused)[7] == [[2, 1, 0], [1, 1, 1]]
    assert read_shoppers(cluster, events, SHOP, ITEMS, before_ms=101 * day, shop_time=paused) == {}
