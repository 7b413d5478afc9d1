"""Creating a tenant's tables, pre-split and open to the stores, through HBase's thrift2 server."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import resources
from typing import Any

import thriftpy2
from thriftpy2.rpc import make_client

from recsys.core.errors import ConfigurationError
from recsys.stores.hbase.address import thrift_address
from recsys.stores.hbase.failures import translated
from recsys.stores.hbase.layout import (
    BUCKETS_PER_WIDE_REGION,
    EVENT_ID_DAYS,
    EVENT_IDS,
    FAMILY,
    INTERACTIONS,
    ITEMS,
    REMOVAL_DAYS,
    REMOVALS,
    SALT_BUCKETS,
    TABLES,
    THRIFT_USER,
    USERS,
    namespace,
    salt_boundaries,
)

_idl: Any = thriftpy2.load(
    str(resources.files("recsys.stores.hbase") / "admin.thrift"), module_name="admin_thrift"
)

# Creating a table waits until all its regions are open.
_TIMEOUT_SECONDS = 60
_SPLIT_KEYS = {
    INTERACTIONS: salt_boundaries(),
    EVENT_IDS: salt_boundaries(BUCKETS_PER_WIDE_REGION),
    USERS: salt_boundaries(BUCKETS_PER_WIDE_REGION),
}
_ATTRIBUTES = {
    # Versions before this one deleted the cells of items. A put in the same millisecond would stay
    # hidden by that without the new behaviour; elsewhere it would only slow reading down.
    ITEMS: {b"NEW_VERSION_BEHAVIOR": b"true"},
    # A user who is forgotten may come back at once.
    USERS: {b"NEW_VERSION_BEHAVIOR": b"true"},
    EVENT_IDS: {b"TTL": str(EVENT_ID_DAYS * 24 * 3600).encode()},
    REMOVALS: {b"TTL": str(REMOVAL_DAYS * 24 * 3600).encode()},
}
_BUCKETS_ATTRIBUTE = b"RECSYS_SALT_BUCKETS"
# HBase's own table of who may do what; only where its AccessController runs.
_PERMISSIONS = _idl.TTableName(ns=b"hbase", qualifier=b"acl")
_READ_AND_WRITE = b"RW"


def create_tables(admin_address: str, tenant: str) -> list[str]:
    """Create what is missing of a tenant's namespace and tables; return the names created.

    Where HBase asks who may do what, the Thrift server of the stores may then read and write them.

    Args:
        admin_address: "HOST:PORT" of a thrift2 server; the one of older kind that the stores read
            through knows neither namespaces nor split keys.
        tenant: the tenant's id.

    Raises:
        InvalidInput: `tenant` is no valid id.
        ConfigurationError: an existing table was made for another number of salt buckets, or the
            server may not grant.
        Unavailable: the server does not answer or cannot.
    """
    space = namespace(tenant)
    with translated():
        with _admin(admin_address) as admin:
            if space not in {known.name for known in admin.listNamespaceDescriptors()}:
                admin.createNamespace(_idl.TNamespaceDescriptor(name=space))
            # First: HBase's servers hear of it a moment later, while tables are being made.
            is_open = _open_to_stores(admin, space)
        # All at a time: for most of the time that one takes, HBase waits.
        with ThreadPoolExecutor(len(TABLES)) as executor:
            is_new = list(executor.map(partial(_create, admin_address, space), TABLES))
    if not is_open:
        raise ConfigurationError(
            f"{tenant} has its tables, but {admin_address} may not say who may use them: in "
            f"HBase's shell, run grant '{THRIFT_USER}', 'RW', '@{space}' "
            "for the user of the Thrift server"
        )
    return [f"{space}:{table}" for table, new in zip(TABLES, is_new, strict=True) if new]


@contextmanager
def _admin(address: str) -> Iterator[Any]:
    server = thrift_address(address)
    client = make_client(_idl.HBaseAdmin, server.host, server.port, timeout=_TIMEOUT_SECONDS * 1000)
    try:
        yield client
    finally:
        client.close()


def _create(admin_address: str, space: str, table: str) -> bool:
    """Create a table, over a connection of its own; tell whether it is new."""
    name = _idl.TTableName(ns=space.encode(), qualifier=table.encode())
    descriptor = _idl.TTableDescriptor(
        tableName=name,
        columns=[_family(_ATTRIBUTES.get(table, {}))],
        attributes={_BUCKETS_ATTRIBUTE: str(SALT_BUCKETS).encode()},
    )
    with _admin(admin_address) as admin:
        if admin.tableExists(name):
            _check_buckets(admin.getTableDescriptor(name), f"{space}:{table}")
            return False
        admin.createTable(descriptor, _SPLIT_KEYS.get(table, []))
        return True


def _open_to_stores(admin: Any, space: str) -> bool:
    """Grant as the HBase shell does: thrift2 has no call for it, but servers watch this table."""
    if not admin.tableExists(_PERMISSIONS):
        return True
    cell = _idl.TColumnValue(family=b"l", qualifier=THRIFT_USER.encode(), value=_READ_AND_WRITE)
    try:
        admin.put(b"hbase:acl", _idl.TPut(row=f"@{space}".encode(), columnValues=[cell]))
    except _idl.TIOError as error:
        if "AccessDeniedException" not in str(error.message):
            raise
        return False
    return True


def _family(attributes: Mapping[bytes, bytes]) -> Any:
    return _idl.TColumnFamilyDescriptor(
        name=FAMILY,
        attributes=attributes,
        compressionType=_idl.TCompressionAlgorithm.SNAPPY,
        dataBlockEncoding=_idl.TDataBlockEncoding.FAST_DIFF,
        maxVersions=1,
    )


def _check_buckets(descriptor: Any, name: str) -> None:
    recorded = (descriptor.attributes or {}).get(_BUCKETS_ATTRIBUTE)
    if recorded is not None and int(recorded) != SALT_BUCKETS:
        raise ConfigurationError(
            f"{name} was created with {int(recorded)} salt buckets, this version uses "
            f"{SALT_BUCKETS}: its rows would not be found"
        )
