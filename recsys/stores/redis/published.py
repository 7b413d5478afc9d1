"""Publishing a model version: its keys first, the one pointer last."""

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import redis

from recsys.core.recommend import StoredUser
from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_text, translated_errors
from recsys.stores.redis.user_record import pack_user

# Large enough to fill a network buffer, small enough not to block the server for other clients.
KEYS_A_COMMAND = 500
CHUNK_BYTES = 8 * 1024 * 1024

Entry = TypeVar("Entry")


class RedisPublishedModels:
    """The PublishedModels port. Calls may raise Unavailable."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def current(self, tenant: str) -> str | None:
        with translated_errors():
            version = self._redis.get(keys.current_model(tenant))
        return to_text(version) if version else None

    def write_items(self, tenant: str, version: str, manifest: bytes, items: bytes) -> None:
        """Write the item side in chunks, then the manifest, which is what readers look for."""
        with translated_errors():
            for number, start in enumerate(range(0, len(items), CHUNK_BYTES)):
                key = keys.items_chunk(tenant, version, number)
                self._redis.set(key, items[start : start + CHUNK_BYTES])
            self._redis.set(keys.manifest(tenant, version), manifest)

    def write_users(
        self, tenant: str, version: str, users: Sequence[tuple[str, StoredUser]]
    ) -> None:
        records = [(keys.user(tenant, version, name), pack_user(user)) for name, user in users]
        with translated_errors():
            for some in _slices(records):
                self._redis.mset(dict(some))

    def count_users(self, tenant: str, version: str, user_ids: Sequence[str]) -> int:
        names = [keys.user(tenant, version, user_id) for user_id in user_ids]
        with translated_errors():
            return sum(self._redis.exists(*some) for some in _slices(names))

    def activate(self, tenant: str, version: str) -> None:
        with translated_errors():
            self._redis.set(keys.current_model(tenant), version)

    def retire(self, tenant: str, keep: Collection[str]) -> int:
        removed = 0
        with translated_errors():
            found = self._redis.scan_iter(keys.all_versions_pattern(tenant), count=KEYS_A_COMMAND)
            old = [key for key in found if keys.version_of(tenant, to_text(key)) not in keep]
            for some in _slices(old):
                removed += self._redis.unlink(*some)
        return removed


def _slices(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), KEYS_A_COMMAND):
        yield entries[start : start + KEYS_A_COMMAND]
