"""Fixtures of the nightly run: a seeded shop, one Spark for all runs in this process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from cli.app import main
from infra.local.stack import Stack
from recsys.core.domain import Event, Item
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.redis.lock import nightly_lock
from spark_jobs.nightly import cutoff, run
from spark_jobs.session import spark_session
from spark_jobs.settings import BatchSettings
from tests.hbase_fixture import MakeTables
from tests.integration.fake_hbase import FakeHBase
from tests.integration.nightly_shop import KeptNight, Nightly, a_nightly, shop_events, shop_items
from tests.integration.redis_server import RedisServer
from tests.redis_fixture import NIGHTLY_DATABASE, empty_database

# Longer than a busy machine keeps the thread that renews it from running.
LOCK_SECONDS = 10.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, which it may break."""
    server = RedisServer(tmp_path)
    yield server
    server.kill()


Seed = Callable[[str, list[Event], list[Item]], None]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fake_hbase() -> Iterator[FakeHBase]:
    """A Thrift server of this test, which misbehaves as it is told to."""
    fake = FakeHBase()
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def seed(make_tables: MakeTables, hbase_pool: HBasePool) -> Seed:
    """Makes the tables of a tenant and puts behaviour and catalogue there."""

    def put(tenant: str, events: list[Event], items: list[Item]) -> None:
        make_tables(tenant)
        HBaseInteractionStore(hbase_pool).put_many(tenant, events, ids_given=False)
        HBaseItemStore(hbase_pool).put(tenant, items)

    return put


@pytest.fixture(scope="session")
def one_spark(store_stack: Stack) -> Iterator[None]:
    """Lets all runs in this process share a session; starting one takes seconds."""
    with ExitStack() as opened, pytest.MonkeyPatch.context() as patch:

        @contextmanager
        def kept(settings: BatchSettings, name: str) -> Iterator[SparkSession]:
            yield SparkSession.getActiveSession() or opened.enter_context(
                spark_session(settings, name)
            )

        patch.setattr(run, "spark_session", kept)
        # Nothing is being written when a test's run begins.
        patch.setattr(cutoff, "MARGIN_SECONDS", 0.0)
        # A test that kills a run does not wait half a minute for its lock.
        patch.setattr(run, "nightly_lock", partial(nightly_lock, held_seconds=LOCK_SECONDS))
        yield


@pytest.fixture(scope="session")
def seeded_shop(seed: Seed) -> str:
    """The tenant that has the events and items of `nightly_shop`."""
    seed("nightly", shop_events(), shop_items())
    return "nightly"


@pytest.fixture(scope="session")
def kept_night(tmp_path_factory: pytest.TempPathFactory) -> KeptNight:
    """The first night over the seeded shop, once a test has had it."""
    return KeptNight(tmp_path_factory.mktemp("first-night") / "models")


@pytest.fixture
def nightly(
    store_stack: Stack,
    one_spark: None,
    hbase: str,
    seeded_shop: str,
    kept_night: KeptNight,
    tmp_path: Path,
) -> Nightly:
    """Runs over the seeded shop; nothing is published yet."""
    redis_url = empty_database(store_stack, NIGHTLY_DATABASE)
    thrift2 = store_stack.settings.hbase_thrift2
    found = a_nightly(hbase, redis_url, tmp_path / "models", seeded_shop, thrift2)
    found.first = kept_night
    return found


@pytest.fixture
def recsys_here(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command line in this process; returns exit code, stdout and stderr."""
    monkeypatch.setenv("REDIS_URL", nightly.redis_url)
    monkeypatch.setenv("HBASE_THRIFT", nightly.settings.hbase_thrift)
    monkeypatch.setenv("RECSYS_MODEL_STORE", str(nightly.settings.model_store))
    monkeypatch.setenv("RECSYS_TENANT", nightly.plan.tenant)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["recsys", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run
