"""Tables as they stand in a real HBase."""

from typing import Any

import pytest

from recsys.core.domain import Event
from recsys.core.errors import ConfigurationError, InvalidInput, NotSetUp, Unavailable
from recsys.stores.hbase import admin
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.interaction_scan import InteractionScan
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.layout import SALT_BUCKETS
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.tenants import check_tenant, tenants

pytestmark = pytest.mark.hbase


def an_event() -> Event:
    return Event("e", "u", "i", "view", 1)


def test_creating_tables_again_changes_nothing(hbase: str, hbase_admin: str) -> None:
    assert create_tables(hbase_admin, "shop") == []


def test_a_mistyped_tenant_is_answered_with_those_that_are_set_up(
    hbase_pool: HBasePool, hbase_interactions: HBaseInteractionStore
) -> None:
    check_tenant(hbase_pool, "shop")
    assert "shop" in tenants(hbase_pool)

    with pytest.raises(NotSetUp, match=r"tables create .*; tenants that are set up: .*\bshop\b"):
        check_tenant(hbase_pool, "shpo")


def test_of_many_tenants_only_some_are_named(
    hbase_pool: HBasePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "recsys.stores.hbase.tenants.tenants", lambda _: [f"s{n}" for n in range(1030)]
    )

    with pytest.raises(NotSetUp, match=r"set up: s0, s1, .*, s19 and 1,010 more$"):
        check_tenant(hbase_pool, "shpo")


def test_interactions_are_split_by_salt_in_advance(hbase_pool: HBasePool) -> None:
    ranges = InteractionScan(hbase_pool, "shop").ranges()

    starts = [one.start for one in ranges]
    assert starts == [b""] + [bytes([bucket]) for bucket in range(1, SALT_BUCKETS)]
    assert [one.stop for one in ranges] == [*starts[1:], b""]


def test_reading_a_user_touches_only_their_rows(
    hbase_pool: HBasePool,
    hbase_interactions: HBaseInteractionStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    users = [f"counted-{number}" for number in range(50)]
    hbase_interactions.put_many(
        "shop",
        [Event(f"{user} {n}", user, "i", "view", n) for user in users for n in range(10)],
        ids_given=False,
    )
    rows_read = _count_rows(hbase_pool, monkeypatch)

    hbase_interactions.history("shop", "counted-7")
    hbase_interactions.history("shop", "counted-7", start_ms=3, end_ms=6)
    hbase_interactions.history("shop", "counted-7", limit=2)

    assert rows_read == [10, 3, 2]


def _count_rows(pool: HBasePool, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Fills with the number of rows each call gets from the server."""
    rows_read: list[int] = []
    call = pool.call

    def counting_call(work: Any) -> Any:
        result = call(work)
        rows_read.append(len(result))
        return result

    monkeypatch.setattr(pool, "call", counting_call)
    return rows_read


@pytest.mark.parametrize("tenant", ["", "Shop", "hbase", "a-b", "1st", "a" * 33, "a:b", "a\n"])
def test_a_bad_tenant_id_is_refused_before_anything_is_asked(tenant: str) -> None:
    with pytest.raises(InvalidInput, match="tenant"):
        create_tables("127.0.0.1:1", tenant)


def test_tables_of_another_salt_are_refused(
    hbase: str, hbase_admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "SALT_BUCKETS", 32)

    with pytest.raises(ConfigurationError, match="16 salt buckets, this version uses 32"):
        create_tables(hbase_admin, "shop")


def test_a_tenant_without_tables_is_told_how_to_create_them(hbase_pool: HBasePool) -> None:
    message = "recsys tables create --tenant nobody"
    with pytest.raises(ConfigurationError, match=message):
        HBaseInteractionStore(hbase_pool).history("nobody", "u")
    with pytest.raises(ConfigurationError, match=message):
        HBaseInteractionStore(hbase_pool).put_many("nobody", [an_event()], ids_given=False)
    with pytest.raises(ConfigurationError, match=message):
        HBaseInteractionStore(hbase_pool).append("nobody", [an_event()], received_ms=1)
    with pytest.raises(ConfigurationError, match=message):
        HBaseItemStore(hbase_pool).get("nobody", "i")


def test_an_admin_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        create_tables("127.0.0.1:1", "shop")
