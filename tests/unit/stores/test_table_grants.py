"""Opening tables to the stores, on HBases whose rules are not ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from recsys.core.errors import ConfigurationError, Unavailable
from recsys.stores.hbase import admin
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.layout import TABLES


class ForeignHBase:
    """One whose thrift2 server makes tables.

    Attributes:
        asks_who: whether it has a table of who may do what.
        refusal: what it says to a grant.
    """

    def __init__(self, *, asks_who: bool, refusal: str = "") -> None:
        self._asks_who = asks_who
        self._refusal = refusal
        self.created: list[bytes] = []

    def listNamespaceDescriptors(self) -> list[Any]:  # noqa: N802 - the names in HBase's IDL
        return []

    def createNamespace(self, descriptor: Any) -> None:  # noqa: N802
        pass

    def tableExists(self, name: Any) -> bool:  # noqa: N802
        return bool(name.ns == b"hbase" and self._asks_who)

    def createTable(self, descriptor: Any, split_keys: Any) -> None:  # noqa: N802
        self.created.append(descriptor.tableName.qualifier)

    def put(self, table: bytes, put: Any) -> None:
        if self._refusal:
            raise admin._idl.TIOError(message=self._refusal)
        assert (table, put.row, put.columnValues[0].value) == (b"hbase:acl", b"@demo", b"RW")


def create_in(hbase: ForeignHBase, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    @contextmanager
    def connected(_: str) -> Iterator[ForeignHBase]:
        yield hbase

    monkeypatch.setattr(admin, "_admin", connected)
    return create_tables("hbase:9091", "demo")


@pytest.mark.parametrize("asks_who", [False, True])
def test_rights_are_granted_where_hbase_asks_for_them(
    monkeypatch: pytest.MonkeyPatch, asks_who: bool
) -> None:
    hbase = ForeignHBase(asks_who=asks_who)
    assert len(create_in(hbase, monkeypatch)) == len(TABLES)


def test_where_only_others_may_grant_the_tables_are_made_and_the_grant_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = "org.apache.hadoop.hbase.security.AccessDeniedException: (table=hbase:acl, ...)"
    hbase = ForeignHBase(asks_who=True, refusal=refusal)
    with pytest.raises(ConfigurationError, match="grant 'recsys-stores', 'RW', '@demo'"):
        create_in(hbase, monkeypatch)
    assert len(hbase.created) == len(TABLES)


def test_another_failure_is_not_taken_for_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    hbase = ForeignHBase(asks_who=True, refusal="RegionServerStoppedException")
    with pytest.raises(Unavailable):
        create_in(hbase, monkeypatch)
