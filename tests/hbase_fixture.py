"""Fixtures that give tests a real HBase: the stores of a local stack of their own."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial

import pytest

from infra.local.servers.hbase import admin_thrift
from infra.local.servers.java import java_home
from infra.local.stack import Stack
from recsys.core.errors import Unavailable
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from tests.stack_fixture import quick_java

# Of all tests. What needs a tenant to itself has tables made for one when it runs: HBase takes
# seconds for that, and after a crash it opens each of them again.
TENANTS = ("shop", "othershop")
_RECOVERY_SECONDS = 120

MakeTables = Callable[[str], object]


@pytest.fixture(scope="session")
def hbase_admin(store_stack: Stack) -> Iterator[str]:
    """HOST:PORT of a thrift2 server, which can create tables."""
    settings = store_stack.settings
    java, jars = java_home(settings.java_home), store_stack.fetch()
    with ExitStack() as opened:
        with quick_java():
            address = opened.enter_context(admin_thrift(settings, java, jars))
        yield address


@pytest.fixture(scope="session")
def make_tables(hbase_admin: str) -> MakeTables:
    """Makes the tables of a tenant, unless they have been made."""
    return cache(partial(create_tables, hbase_admin))


@pytest.fixture(scope="session")
def hbase(store_stack: Stack, make_tables: MakeTables) -> str:
    """HOST:PORT of a Thrift server; the tables of TENANTS are there."""
    for tenant in TENANTS:
        make_tables(tenant)
    return store_stack.settings.hbase_thrift


@pytest.fixture(scope="session")
def hbase_pool(hbase: str) -> Iterator[HBasePool]:
    pool = HBasePool(hbase)
    yield pool
    pool.close()


@pytest.fixture
def hbase_interactions(hbase_pool: HBasePool) -> HBaseInteractionStore:
    return HBaseInteractionStore(hbase_pool)


@pytest.fixture
def hbase_items(hbase_pool: HBasePool) -> HBaseItemStore:
    return HBaseItemStore(hbase_pool)


@pytest.fixture
def crash_hbase(store_stack: Stack, hbase_pool: HBasePool) -> Iterator[Callable[[], None]]:
    """Kills HBase with SIGKILL; the stack's supervisor starts it again by itself."""
    yield lambda: store_stack.kill("hbase")
    await_hbase(hbase_pool)


def await_hbase(pool: HBasePool) -> None:
    """Wait until HBase answers again."""
    give_up = time.monotonic() + _RECOVERY_SECONDS
    while True:
        try:
            HBaseInteractionStore(pool).history("shop", "anyone")
        except Unavailable:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)
        else:
            return
