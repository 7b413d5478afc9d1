"""One formula: the nightly run counts events on Spark as an event log does."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from recsys.config.shop import Shop
from recsys.core.errors import NotFound
from recsys.core.times import MAX_TIMESTAMP_MS
from recsys.training.event_log import pairs_of
from recsys.training.interactions import InteractionMatrix
from recsys.training.settings import ModelSettings
from spark_jobs.nightly.prepare_pairs import prepare_pairs
from tests.builders import EVENT_TYPES
from tests.mixed_behaviour import (
    HALF_LIFE_DAYS,
    POPULARITY_HALF_LIFE_DAYS,
    MixedBehaviour,
    mixed_behaviour,
)

SETTINGS = ModelSettings(
    half_life_days=HALF_LIFE_DAYS,
    popularity_half_life_days=POPULARITY_HALF_LIFE_DAYS,
    event_weights={"view": 0.7},
)
SHOP = Shop(None, None, ("purchase",), EVENT_TYPES)
BEHAVIOUR = mixed_behaviour(300, seed=5)


def prepared(spark: SparkSession, events: Path) -> InteractionMatrix:
    return prepare_pairs(
        *(spark, events, SHOP, ()),
        before_ms=MAX_TIMESTAMP_MS,
        shop_time=BEHAVIOUR.shop_time(),
        settings=SETTINGS,
    )


def test_spark_makes_the_pairs_of_an_event_log(cluster: SparkSession, tmp_path: Path) -> None:
    for part in range(3):
        some = MixedBehaviour(BEHAVIOUR.events[part::3])
        pq.write_table(some.table(), tmp_path / f"{part}.parquet")

    found = prepared(cluster, tmp_path)

    log = BEHAVIOUR.log().with_weights(SETTINGS.event_weights)
    expected = pairs_of(log, HALF_LIFE_DAYS, POPULARITY_HALF_LIFE_DAYS)
    assert list(found.users) == list(expected.users)
    assert list(found.items) == list(expected.items)
    for name in ("indptr", "item_indices", "excluded"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    for name in ("strengths", "recent_strengths"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-6, abs=2e-6)
    assert (found.strengths < 0).any()


def test_what_counts_and_was_not_read_is_named(cluster: SparkSession, tmp_path: Path) -> None:
    pq.write_table(BEHAVIOUR.table().drop_columns(["quantity"]), tmp_path / "0.parquet")

    with pytest.raises(NotFound, match="has no quantity, which counts: run `recsys nightly read`"):
        prepared(cluster, tmp_path)
