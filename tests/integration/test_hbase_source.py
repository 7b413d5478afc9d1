"""The Spark data source against a real HBase."""

from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from recsys.core.domain import Event
from recsys.core.errors import NotSetUp, Unavailable
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.layout import SALT_BUCKETS
from spark_jobs.hbase_source import HBaseInteractionsDataSource
from spark_jobs.nightly import run
from spark_jobs.settings import BatchSettings
from spark_jobs.task_errors import errors_of_tasks
from tests.hbase_fixture import MakeTables

pytestmark = pytest.mark.hbase
TENANT = "spark"
EVENTS = [
    Event(f"e{n}", f"user {n % 50} ü", f"i{n % 9}", "purchase" if n % 2 else "view", 1000 + n)
    for n in range(2000)
]
BASKET = Event(
    "b1",
    "shopper",
    "i1",
    "purchase",
    5000,
    quantity=2,
    price=9.5,
    order_id="o1",
    context={"placement": "home"},
    rating=4.5,
    query="red lamp",
)
Read = Callable[..., DataFrame]


@pytest.fixture(scope="module", autouse=True)
def tables_of_tenant(make_tables: MakeTables) -> None:
    make_tables(TENANT)


@pytest.fixture(scope="module")
def spark(
    one_spark: None, hbase: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkSession]:
    settings = BatchSettings(
        hbase_thrift=hbase,
        redis_url=SecretStr("redis://nobody"),
        model_store=tmp_path_factory.mktemp("models"),
        spark_master="local[2]",
        spark_memory="512m",
    )
    with run.spark_session(settings, "test") as session:
        session.dataSource.register(HBaseInteractionsDataSource)
        yield session


@pytest.fixture
def read(spark: SparkSession, hbase: str, hbase_interactions: HBaseInteractionStore) -> Read:
    hbase_interactions.put_many(TENANT, [*EVENTS, BASKET], ids_given=False)

    def load(**options: object) -> DataFrame:
        behaviour = spark.read.format("hbase_interactions")
        return behaviour.options(**{"address": hbase, "tenant": TENANT} | options).load()

    return load


def test_every_event_is_read_once(read: Read) -> None:
    rows = read().collect()

    assert sorted(map(tuple, rows)) == sorted(
        (e.user_id, e.item_id, e.event_type, e.timestamp_ms) for e in [*EVENTS, BASKET]
    )


def test_a_task_reads_a_region(read: Read) -> None:
    assert read().rdd.getNumPartitions() == SALT_BUCKETS


def test_a_window_begins_at_its_start_and_ends_before_its_end(read: Read) -> None:
    rows = read(start_ms=1500, end_ms=1510).collect()

    assert sorted(row.timestamp_ms for row in rows) == list(range(1500, 1510))


def test_a_window_may_have_no_end(read: Read) -> None:
    assert read(start_ms=2990, end_ms=None).count() == 11


def test_details_come_only_when_asked_for(read: Read) -> None:
    (row,) = read(details=True, start_ms=5000).collect()

    assert row.asDict() == {
        "user_id": "shopper",
        "item_id": "i1",
        "event_type": "purchase",
        "timestamp_ms": 5000,
        "quantity": 2.0,
        "price": 9.5,
        "order_id": "o1",
        "rating": 4.5,
        "query": "red lamp",
    }
    assert read(details=True, end_ms=1001).first().quantity is None


def test_contexts_come_only_when_asked_for(read: Read) -> None:
    assert "context" not in read(start_ms=5000).columns
    (row,) = read(context=True, start_ms=5000).collect()
    assert row.context == {"placement": "home"}
    assert read(context=True, end_ms=1001).first().context == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tenant": ""}, "needs the option 'tenant'"),
        ({"end_ms": "yesterday"}, "option 'end_ms' must be milliseconds"),
        ({"tenant": "nobody"}, "recsys tables create --tenant nobody"),
    ],
)
def test_what_is_wrong_is_named(read: Read, options: dict[str, str], message: str) -> None:
    with pytest.raises(PySparkException, match=message):
        read(**options).count()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tenant": "nobody"}, NotSetUp, "^tenant nobody is not set up, .* --admin HOST:PORT$"),
        ({"address": "127.0.0.1:1"}, Unavailable, "^hbase is unavailable: Could not connect"),
    ],
)
def test_a_job_that_cannot_read_ends_with_an_error_of_ours(
    read: Read, options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message), errors_of_tasks():
        read(**options).count()
