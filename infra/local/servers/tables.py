"""The HBase tables of the demo's tenant."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import happybase

from infra.local.errors import StartError
from infra.local.servers import hbase
from infra.local.settings import Settings
from recsys.core.errors import ConfigurationError
from recsys.stores.hbase.address import thrift_address
from recsys.stores.hbase.admin import create_tables
from recsys.stores.hbase.failures import translated
from recsys.stores.hbase.layout import TABLES, table_name

DEMO_TENANT = "demo"
# After a start HBase opens one region after the other; a read waits for its region.
_REGIONS_OPEN_SECONDS = 60
_OPENED_SECONDS = 10
_POLL_SECONDS = 0.1


def ensure_tables(settings: Settings, java: Path, jars: Path, tenant: str = DEMO_TENANT) -> None:
    """Create what is missing of the tenant's tables, and wait until every region can be read.

    Raises StartError when they are missing in an HBase of the user's own and no thrift2 server of
    it is known, which alone can create them.
    """
    needed = [table_name(tenant, table) for table in TABLES]
    if lacking := _lacking(settings, needed):
        with _admin(settings, java, jars, lacking) as address:
            create_tables(address, tenant)
            _await_opened(settings, needed)


def _await_opened(settings: Settings, names: Sequence[bytes]) -> None:
    """Read every region. HBase's servers hear a moment later, by ZooKeeper, who may do so."""
    give_up = time.monotonic() + _OPENED_SECONDS
    while True:
        try:
            return _read_every_region(settings, names)
        except ConfigurationError:
            if time.monotonic() > give_up:
                raise
            time.sleep(_POLL_SECONDS)


def _lacking(settings: Settings, needed: Sequence[bytes]) -> list[str]:
    """The tables that are missing, or all when one is not open to us: made before HBase asked.

    Where none is lacking, every region can be read on return.
    """
    with _connected(settings) as connection:
        missing = sorted(name.decode() for name in {*needed} - {*connection.tables()})
    if missing:
        return missing
    try:
        _read_every_region(settings, needed)
    except ConfigurationError:
        return sorted(name.decode() for name in needed)
    return []


def _admin(
    settings: Settings, java: Path, jars: Path, lacking: list[str]
) -> AbstractContextManager[str]:
    if not settings.external_hbase:
        return hbase.admin_thrift(settings, java, jars)
    if settings.external_hbase_admin:
        return nullcontext(settings.external_hbase_admin)
    raise StartError(
        f"{settings.external_hbase} lacks the tables {', '.join(lacking)}, or its Thrift server "
        "may not use them: set HBASE_THRIFT_ADMIN=HOST:PORT to a thrift2 server of that HBase, "
        "which can mend both"
    )


def _read_every_region(settings: Settings, names: Sequence[bytes]) -> None:
    with translated(), _connected(settings) as connection:
        for table in map(connection.table, names):
            for region in table.regions():
                next(table.scan(row_start=region["start_key"], limit=1), None)


@contextmanager
def _connected(settings: Settings) -> Iterator[happybase.Connection]:
    server = thrift_address(settings.hbase_thrift)
    connection = happybase.Connection(
        server.host, server.port, timeout=_REGIONS_OPEN_SECONDS * 1000
    )
    try:
        yield connection
    finally:
        connection.close()
