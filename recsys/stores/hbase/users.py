"""What a shop says of its users, in HBase: one row a user, one JSON cell."""

import json

from recsys.core.domain import User
from recsys.stores.documents import encode_document
from recsys.stores.hbase.keys import user_key
from recsys.stores.hbase.layout import CLOCKS_DIFFER_MS, DOCUMENT, USERS, table_name
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.table import Table


class HBaseUserStore:
    """`UserStore` on HBase; what is durable is said at `HBaseInteractionStore`."""

    def __init__(self, pool: HBasePool) -> None:
        self._pool = pool

    def get(self, tenant: str, user_id: str) -> User | None:
        return _decoded(user_id, self._table(tenant).get(user_key(user_id), DOCUMENT))

    def replace(self, tenant: str, expected: User | None, user: User) -> bool:
        key, table = user_key(user.user_id), self._table(tenant)
        # The very bytes, which another version of this code may have written otherwise.
        before = table.get(key, DOCUMENT)
        found = _decoded(user.user_id, before)
        if (found and _document(found)) != (expected and _document(expected)):
            return False
        return table.put_if(key, DOCUMENT, before, _document(user))

    def remove(self, tenant: str, user_id: str, removed_ms: int) -> None:
        until_ms = removed_ms + CLOCKS_DIFFER_MS
        self._table(tenant).delete([user_key(user_id)], [DOCUMENT], written_until_ms=until_ms)

    def _table(self, tenant: str) -> Table:
        return Table(self._pool, table_name(tenant, USERS))


def _document(user: User) -> bytes:
    """In one order of names, so that equal users are equal bytes; 1 and true are not."""
    return encode_document({"attributes": dict(sorted(user.attributes.items()))})


def _decoded(user_id: str, document: bytes | None) -> User | None:
    return User(user_id, json.loads(document)["attributes"]) if document else None
