"""Users of whom events were removed: what a time-range scan cannot tell.

A record is written before the events are removed. So whoever reads the records sees each removal
that may have begun; whether an event is gone, the table of events itself says.
"""

import json
from collections.abc import Collection

from recsys.stores.documents import encode_document
from recsys.stores.hbase.layout import DOCUMENT
from recsys.stores.hbase.table import BULK_PATIENCE_SECONDS, KeyRange, Table


class Removals:
    """The records of a tenant, each known for REMOVAL_DAYS.

    Raises:
        Unavailable, NotSetUp: from any method, see `HBasePool.call`.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def record(
        self, user_ids: Collection[str], removed_ms: int, patience_seconds: float = 0.0
    ) -> None:
        """Say that events of these users are about to be removed. Durable on return."""
        cells = {DOCUMENT: encode_document({"removed_ms": removed_ms})}
        rows = ((user_id.encode(), cells) for user_id in user_ids)
        self._table.put(rows, patience_seconds=patience_seconds)

    def since(self, removed_ms: int, patience_seconds: float = BULK_PATIENCE_SECONDS) -> list[str]:
        """The users of whom events were removed at this time or later."""
        pages = self._table.scan(KeyRange(), [DOCUMENT], patience_seconds=patience_seconds)
        return [
            key.decode()
            for page in pages
            for key, cell in zip(page.keys, page.columns[DOCUMENT], strict=True)
            if json.loads(cell or b"{}")["removed_ms"] >= removed_ms
        ]
