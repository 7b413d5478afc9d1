"""Fixtures that give tests a real HBase."""

import os
from collections.abc import Iterator

import pytest

from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool

TENANTS = ("shop", "othershop", "scanned", "manyitems")


@pytest.fixture(scope="session")
def hbase() -> str:
    return os.environ["HBASE_THRIFT"]


@pytest.fixture(scope="session")
def hbase_admin() -> str:
    return os.environ["HBASE_ADMIN"]


@pytest.fixture(scope="session")
def hbase_pool(hbase: str, hbase_admin: str) -> Iterator[HBasePool]:
    for tenant in TENANTS:
        create_tables(hbase_admin, tenant)
    pool = HBasePool(hbase)
    yield pool
    pool.close()


@pytest.fixture
def hbase_interactions(hbase_pool: HBasePool) -> HBaseInteractionStore:
    return HBaseInteractionStore(hbase_pool)


@pytest.fixture
def hbase_items(hbase_pool: HBasePool) -> HBaseItemStore:
    return HBaseItemStore(hbase_pool)
