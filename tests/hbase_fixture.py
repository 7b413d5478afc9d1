"""Fixtures that give tests a real HBase: the stores of a local stack of their own."""

import time
from collections.abc import Callable, Iterator

import pytest

from infra.local.servers.hbase import admin_thrift
from infra.local.servers.java import java_home
from infra.local.stack import Stack
from recsys.core.errors import Unavailable
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool

TENANTS = ("shop", "othershop", "scanned", "manyitems", "crash", "spark", "imported", "claims")
_RECOVERY_SECONDS = 120


@pytest.fixture(scope="session")
def hbase_admin(store_stack: Stack) -> Iterator[str]:
    """HOST:PORT of a thrift2 server, which can create tables."""
    settings = store_stack.settings
    with admin_thrift(settings, java_home(settings.java_home), store_stack.fetch()) as address:
        yield address


@pytest.fixture(scope="session")
def hbase(store_stack: Stack, hbase_admin: str) -> str:
    """HOST:PORT of a Thrift server; the tables of TENANTS are there."""
    for tenant in TENANTS:
        create_tables(hbase_admin, tenant)
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
    await_hbase(hbase_pool, "crash")


def await_hbase(pool: HBasePool, tenant: str) -> None:
    """Wait until HBase answers again."""
    give_up = time.monotonic() + _RECOVERY_SECONDS
    while True:
        try:
            HBaseInteractionStore(pool).history(tenant, "anyone")
        except Unavailable:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)
        else:
            return
