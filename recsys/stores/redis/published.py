"""Publishing a model version: its keys first, the one pointer last."""

from collections.abc import Collection, Sequence

import redis

from recsys.core.errors import LockLost
from recsys.core.ports import PointerGuard
from recsys.core.user_batch import UserBatch
from recsys.core.vocabulary import encode_texts
from recsys.stores.redis import keys
from recsys.stores.redis.byte_runs import Runs, repeated, slices
from recsys.stores.redis.connect import to_text, translated_errors
from recsys.stores.redis.packed_commands import execute, packed_commands
from recsys.stores.redis.user_record import record_parts

# Large enough to fill a network buffer, small enough not to block the server for other clients.
KEYS_PER_COMMAND = 500
CHUNK_BYTES = 8 * 1024 * 1024

# Redis runs a script as one step: nothing changes between its checks and its write.
_ACTIVATE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lock' end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return 'moved' end
redis.call('SET', KEYS[2], ARGV[3])
return 'done'
"""
_REACTIVATE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""
# Incomplete from here on, or serving and kept: `reactivate` and this never both succeed.
_BEGIN_RETIRING = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
return 1
"""
_NOT_MOVED = {
    "lock": "this run lost its lock before it could move the pointer, and another one may have"
    " begun",
    "moved": "another version serves now than this run was compared with",
}


class RedisPublishedModels:
    """The PublishedModels port. Calls may raise Unavailable."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def current(self, tenant: str) -> str | None:
        with translated_errors():
            version = self._redis.get(keys.current_model(tenant))
        return to_text(version) if version else None

    def write_items(self, tenant: str, version: str, manifest: bytes, items: bytes) -> None:
        """Write the item model in chunks, then the manifest, which is what readers look for."""
        with translated_errors():
            for number, start in enumerate(range(0, len(items), CHUNK_BYTES)):
                key = keys.items_chunk(tenant, version, number)
                self._redis.set(key, items[start : start + CHUNK_BYTES])
            self._redis.set(keys.manifest(tenant, version), manifest)

    def write_users(self, tenant: str, version: str, batch: UserBatch) -> None:
        arguments = [_user_keys(tenant, version, batch.user_ids), record_parts(batch)]
        commands = packed_commands("MSET", arguments, KEYS_PER_COMMAND)
        with translated_errors():
            execute(self._redis, commands)

    def count_users(self, tenant: str, version: str, user_ids: Sequence[str]) -> int:
        arguments = [_user_keys(tenant, version, user_ids)]
        commands = packed_commands("EXISTS", arguments, KEYS_PER_COMMAND)
        with translated_errors():
            return sum(execute(self._redis, commands))

    def erase_user(self, tenant: str, user_id: str, version: str | None = None) -> None:
        if version := version or self.current(tenant):
            with translated_errors():
                if self._redis.unlink(keys.user(tenant, version, user_id)):
                    self._redis.incr(keys.erased_users(tenant, version))

    def erased_users(self, tenant: str, version: str) -> int:
        with translated_errors():
            return int(self._redis.get(keys.erased_users(tenant, version)) or 0)

    def items_size(self, tenant: str, version: str) -> int:
        total = number = 0
        with translated_errors():
            if not self._redis.exists(keys.manifest(tenant, version)):
                return 0
            while size := self._redis.strlen(keys.items_chunk(tenant, version, number)):
                total, number = total + size, number + 1
        return total

    def activate(self, tenant: str, version: str, guard: PointerGuard | None = None) -> None:
        pointer = keys.current_model(tenant)
        with translated_errors():
            if guard is None:
                self._redis.set(pointer, version)
                return
            lock, arguments = keys.nightly_lock(tenant), (guard.lock_token, guard.replaces or "")
            outcome = to_text(self._redis.eval(_ACTIVATE, 2, lock, pointer, *arguments, version))
        if outcome in _NOT_MOVED:
            raise LockLost(f"{_NOT_MOVED[outcome]}: {version} does not serve; run it again")

    def mark_complete(self, tenant: str, version: str) -> None:
        with translated_errors():
            self._redis.delete(keys.erased_users(tenant, version))
            self._redis.set(keys.complete(tenant, version), b"1")

    def reactivate(self, tenant: str, version: str) -> bool:
        names = keys.complete(tenant, version), keys.current_model(tenant)
        with translated_errors():
            return bool(self._redis.eval(_REACTIVATE, 2, *names, version))

    def retire(self, tenant: str, keep: Collection[str]) -> int:
        removed = 0
        with translated_errors():
            found = self._redis.scan_iter(keys.all_versions_pattern(tenant), count=KEYS_PER_COMMAND)
            versions = {key: keys.version_of(tenant, to_text(key)) for key in found}
            gone = {
                version
                for version in set(versions.values()).difference(keep)
                if self._begin_retiring(tenant, version)
            }
            old = [key for key, version in versions.items() if version in gone]
            for start in range(0, len(old), KEYS_PER_COMMAND):
                removed += self._redis.unlink(*old[start : start + KEYS_PER_COMMAND])
        return removed

    def _begin_retiring(self, tenant: str, version: str) -> bool:
        names = keys.current_model(tenant), keys.complete(tenant, version)
        return bool(self._redis.eval(_BEGIN_RETIRING, 2, *names, version))


def _user_keys(tenant: str, version: str, user_ids: Sequence[str]) -> list[Runs]:
    prefix = keys.user_prefix(tenant, version).encode()
    return [repeated(prefix, len(user_ids)), slices(*encode_texts(user_ids))]
