"""A mark in the table of events that says which snapshot of it was the last.

A table that was emptied, restored from an older state or made anew has another mark, or none.
"""

from recsys.stores.hbase.layout import INTERACTIONS, WITNESS, table_name, witness_key
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import Table


class Witness:
    """The mark of one keeper of snapshots, of which a table may have several.

    Raises:
        Unavailable, NotSetUp: from any method, see `HBasePool.call`.
    """

    def __init__(self, pool: HBasePool, tenant: str, keeper: str) -> None:
        self._table = Table(pool, table_name(tenant, INTERACTIONS))
        self._key = witness_key(keeper)

    def read(self) -> str | None:
        value = self._table.get(self._key, WITNESS)
        return None if value is None else value.decode()

    def write(self, mark: str) -> None:
        """Put a mark in the place of the one before. Durable on return."""
        self._table.put([(self._key, {WITNESS: mark.encode()})])
