"""The HBase tables of the demo's tenant."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import happybase

from infra.local import hbase
from infra.local.errors import StartError
from infra.local.probes import split_address
from infra.local.settings import Settings
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.layout import EVENT_IDS, IMPORTS, INTERACTIONS, ITEMS, table_name

DEMO_TENANT = "demo"
# After a start HBase opens one region after the other; a read waits for its region.
_REGIONS_OPEN_SECONDS = 60


def ensure_tables(settings: Settings, java: Path, jars: Path, tenant: str = DEMO_TENANT) -> None:
    """Create what is missing of the tenant's tables, and wait until every region can be read.

    Raises StartError when they are missing in an HBase of the user's own and no thrift2 server of
    it is known, which alone can create them.
    """
    tables = (INTERACTIONS, ITEMS, IMPORTS, EVENT_IDS)
    needed = [table_name(tenant, table) for table in tables]
    with _connected(settings) as connection:
        missing = sorted(name.decode() for name in {*needed} - {*connection.tables()})
    if missing:
        with _admin(settings, java, jars, missing) as address:
            create_tables(address, tenant)
    with _connected(settings) as connection:
        for name in needed:
            _read_every_region(connection.table(name))


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


def _read_every_region(table: happybase.Table) -> None:
    for region in table.regions():
        next(table.scan(row_start=region["start_key"], limit=1), None)


@contextmanager
def _connected(settings: Settings) -> Iterator[happybase.Connection]:
    host, port = split_address(settings.hbase_thrift)
    connection = happybase.Connection(host, port, timeout=_REGIONS_OPEN_SECONDS * 1000)
    try:
        yield connection
    finally:
        connection.close()
