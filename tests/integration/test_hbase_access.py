"""Permissions of a client of the Thrift server that the stores use, in a real HBase."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import happybase
import pytest

from infra.local.servers import tables
from infra.local.servers.java import java_home
from infra.local.servers.tables import ensure_tables
from infra.local.stack import Stack
from recsys.core.domain import Event, Item
from recsys.core.errors import ConfigurationError
from recsys.stores.hbase import admin
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from tests.eventually import eventually

pytestmark = pytest.mark.hbase


@pytest.fixture
def connection(hbase: str) -> Iterator[happybase.Connection]:
    host, port = hbase.split(":")
    connection = happybase.Connection(host, int(port), timeout=30_000)
    yield connection
    connection.close()


def drop(connection: happybase.Connection) -> None:
    connection.client.deleteTable(b"shop:items")


def disable(connection: happybase.Connection) -> None:
    connection.disable_table("shop:items")


def create(connection: happybase.Connection) -> None:
    connection.create_table("shop:more", {"e": {}})


def grant_itself_everything(connection: happybase.Connection) -> None:
    connection.table("hbase:acl").put(b"hbase:acl", {b"l:recsys-stores": b"RWXCA"})


@pytest.mark.parametrize("attempt", [disable, drop, create, grant_itself_everything])
def test_a_client_of_the_stores_thrift_server_cannot_change_tables(
    connection: happybase.Connection, attempt: Callable[[happybase.Connection], None]
) -> None:
    with pytest.raises(Exception, match="AccessDeniedException"):
        attempt(connection)
    assert connection.is_table_enabled("shop:items")


def test_it_reads_and_writes_and_deletes_rows(hbase_pool: HBasePool) -> None:
    items, events = HBaseItemStore(hbase_pool), HBaseInteractionStore(hbase_pool)
    items.put("shop", [Item("allowed")])
    assert items.get("shop", "allowed")
    assert items.replace("shop", "allowed", Item("allowed"), None)
    assert items.get("shop", "allowed") is None
    now_ms = time.time_ns() // 1_000_000
    [result] = events.append("shop", [Event("allowed", "allowed", "i", "view", 1)], now_ms)
    assert result.is_new
    assert len(events.history("shop", "allowed")) == 1


def create_tables_of_before(hbase_admin: str, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make tables as they were made when HBase let everybody do everything."""

    with monkeypatch.context() as patch:
        patch.setattr(admin, "_open_to_stores", lambda *_: True)
        create_tables(hbase_admin, tenant)


def test_tables_of_before_are_opened_by_the_command_that_the_error_names(
    hbase_admin: str, hbase_pool: HBasePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_tables_of_before(hbase_admin, "before", monkeypatch)
    store = HBaseInteractionStore(hbase_pool)
    message = "recsys tables create --tenant before --admin"
    with pytest.raises(ConfigurationError, match=message):
        store.history("before", "u")
    with pytest.raises(ConfigurationError, match=message):
        store.put_many("before", [Event("e", "u", "i", "view", 1)], ids_given=True)

    assert create_tables(hbase_admin, "before") == []

    eventually(lambda: _can_read(store, "before"), within_seconds=10)


def test_a_stack_opens_the_tables_of_its_old_data(
    store_stack: Stack, hbase_admin: str, hbase_pool: HBasePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_tables_of_before(hbase_admin, "olddata", monkeypatch)
    monkeypatch.setattr(tables, "_admin", lambda *_: nullcontext(hbase_admin))
    settings = store_stack.settings

    ensure_tables(settings, java_home(settings.java_home), store_stack.fetch(), "olddata")

    assert HBaseInteractionStore(hbase_pool).history("olddata", "u") == []


def _can_read(store: HBaseInteractionStore, tenant: str) -> bool:
    try:
        store.history(tenant, "u")
    except ConfigurationError:
        return False
    return True
