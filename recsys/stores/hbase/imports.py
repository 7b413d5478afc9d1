"""The ledger of finished imports in HBase: row key is the digest of what was imported and how."""

import json
from collections.abc import Mapping
from typing import Any

from recsys.stores.documents import encode_document
from recsys.stores.hbase.layout import DOCUMENT, IMPORTS, table_name
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import Table


class HBaseImportLedger:
    """Remembers finished imports, so that a rerun of the same file is no work."""

    def __init__(self, pool: HBasePool) -> None:
        self._pool = pool

    def find(self, tenant: str, digest: str) -> dict[str, Any] | None:
        """Find the entry of this import; None when it never finished."""
        document = self._table(tenant).get(digest.encode(), DOCUMENT)
        return None if document is None else dict(json.loads(document))

    def record(self, tenant: str, digest: str, entry: Mapping[str, Any]) -> None:
        """Remember that this import finished. Durable on return."""
        self._table(tenant).put([(digest.encode(), {DOCUMENT: encode_document(entry)})])

    def forget(self, tenant: str, digest: str) -> bool:
        """Forget this import; whether it was known. Durable on return."""
        table, key = self._table(tenant), digest.encode()
        cell = table.cells([key], DOCUMENT).get(key)
        if cell is None:
            return False
        # And no later one: the file may be imported again at once.
        table.delete([key], [DOCUMENT], written_until_ms=cell.written_ms)
        return True

    def _table(self, tenant: str) -> Table:
        return Table(self._pool, table_name(tenant, IMPORTS))
