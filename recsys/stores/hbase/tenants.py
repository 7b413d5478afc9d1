"""Tenants that HBase has tables of: these are all there are, with events or without."""

from recsys.core.errors import NotSetUp
from recsys.stores.hbase.layout import INTERACTIONS, table_name
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import Table

# More names would hide the one that was meant.
_MAX_NAMED = 20


def check_tenant(pool: HBasePool, tenant: str) -> None:
    """Refuse a tenant without a table of events, before a job begins.

    Its name is most likely mistyped, so the message has those that there are. It is for operators:
    callers of one shop are not told of others.

    Raises:
        NotSetUp: there is no such table.
        Unavailable: HBase does not answer.
    """
    try:
        Table(pool, table_name(tenant, INTERACTIONS)).regions()
    except NotSetUp as error:
        raise NotSetUp(f"{error}; tenants that are set up: {_named(tenants(pool))}") from None


def tenants(pool: HBasePool) -> list[str]:
    """List the tenants that have a table of events, sorted. Raises Unavailable."""
    names = pool.call(lambda client: client.getTableNames())
    texts = (name.decode() if isinstance(name, bytes) else name for name in names)
    found = (text.partition(":") for text in texts)
    return sorted(space for space, _, table in found if table == INTERACTIONS)


def _named(names: list[str]) -> str:
    more = len(names) - _MAX_NAMED
    shown = ", ".join(names[:_MAX_NAMED]) or "none"
    return f"{shown} and {more:,} more" if more > 0 else shown
