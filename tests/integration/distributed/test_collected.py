"""The result of a query comes to the driver, however much of it there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.collected import collected


@contextmanager
def results_of_at_most(size: str, spark: SparkSession) -> Iterator[None]:
    """What Spark lets through the JVM; each job looks it up anew."""
    conf = spark.sparkContext._jsc.sc().conf()
    name = "spark.driver.maxResultSize"
    conf.set(name, size)
    try:
        yield
    finally:
        conf.set(name, "1g")


def test_more_comes_than_spark_lets_through_the_jvm(cluster: SparkSession, tmp_path: Path) -> None:
    rows = cluster.range(200_000).select(
        "id", F.concat(F.lit("user-"), F.col("id") % 1000).alias("user_id")
    )
    with results_of_at_most("64k", cluster):
        with pytest.raises(Py4JJavaError, match="maxResultSize"):
            rows.toArrow()

        found = collected(rows, tmp_path / "events.parquet")

    ids = sorted(found["id"].to_pylist())
    assert ids == list(range(200_000))
    users = found["user_id"].unify_dictionaries()
    assert len(users.chunk(0).dictionary) == 1000
    assert users[0].as_py() == f"user-{found['id'][0].as_py() % 1000}"


def test_nothing_is_left_behind(cluster: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "query.parquet").mkdir()
    (tmp_path / "query.parquet" / "of_a_killed_run.parquet").write_bytes(b"half")

    found = collected(cluster.range(3), tmp_path / "events.parquet")

    assert sorted(found["id"].to_pylist()) == [0, 1, 2]
    assert not list(tmp_path.iterdir())


def test_a_query_without_rows_is_a_table_without_rows(
    cluster: SparkSession, tmp_path: Path
) -> None:
    rows = cluster.createDataFrame([], "user_id string, count int")

    found = collected(rows, tmp_path / "events.parquet")

    assert len(found) == 0
    assert found.column_names == ["user_id", "count"]
