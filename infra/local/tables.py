"""The HBase tables of the demo's tenant."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import happybase

from infra.local import hbase
from infra.local.errors import StartError
from infra.local.probes import split_address
from infra.local.settings import Settings
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.layout import IMPORTS, INTERACTIONS, ITEMS, table_name

DEMO_TENANT = "demo"


def missing_tables(settings: Settings, tenant: str = DEMO_TENANT) -> list[str]:
    host, port = split_address(settings.hbase_thrift)
    connection = happybase.Connection(host, port, timeout=10_000)
    try:
        existing = set(connection.tables())
    finally:
        connection.close()
    needed = [table_name(tenant, table) for table in (INTERACTIONS, ITEMS, IMPORTS)]
    return [name.decode() for name in needed if name not in existing]


def ensure_tables(settings: Settings, java: Path, jars: Path, tenant: str = DEMO_TENANT) -> None:
    """Create what is missing of the tenant's tables.

    Raises StartError when they are missing in an HBase of the user's own and no thrift2 server of
    it is known, which alone can create them.
    """
    missing = missing_tables(settings, tenant)
    if not missing:
        return
    with _admin(settings, java, jars, missing) as address:
        create_tables(address, tenant)


def _admin(
    settings: Settings, java: Path, jars: Path, missing: list[str]
) -> AbstractContextManager[str]:
    if not settings.external_hbase:
        return hbase.admin_thrift(settings, java, jars)
    if settings.external_hbase_admin:
        return nullcontext(settings.external_hbase_admin)
    raise StartError(
        f"{settings.external_hbase} lacks the tables {', '.join(missing)}: set "
        "HBASE_THRIFT_ADMIN=HOST:PORT to a thrift2 server of that HBase, which can create them"
    )
