"""The live catalogue: a hash a tenant, and a log of what changed in it.

The hash holds each item as JSON, and an empty value for one that is gone. The log is a stream of
item ids, not of items: whoever follows it reads from the hash what they are now. It forgets its
oldest entries; a follower that finds the last one it knows forgotten reads the whole hash again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import cast

import redis

from recsys.core.domain import Item
from recsys.stores.documents import item_document
from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_text, translated_errors

# Changes that a follower may be behind before it has to read everything: several seconds of the
# fastest import, and a few megabytes.
LOG_ENTRIES = 100_000
# Enough to spare round trips, few enough to keep other clients of Redis waiting a few milliseconds.
_ITEMS_PER_COMMAND = 500
GONE_DOCUMENT = b""

# What is there already is no change: a file that is imported again makes nobody read anything.
_WRITE = """
local changed = {}
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'item', ARGV[i])
    changed[#changed + 1] = ARGV[i]
  end
end
return changed
"""
# In one step with its test: an item that was put again meanwhile stays.
_FORGET_GONE = """
for i = 1, #ARGV do
  if redis.call('HGET', KEYS[1], ARGV[i]) == '' then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
"""


class RedisLiveCatalogue:
    """The LiveCatalogue port."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def write(self, tenant: str, items: Mapping[str, Item | None]) -> list[str]:
        names = keys.catalogue(tenant), keys.catalogue_log(tenant)
        changed: list[str] = []
        with translated_errors():
            for some in _in_pieces(list(items)):
                pairs = [part for item_id in some for part in (item_id, _document(items[item_id]))]
                reply = self._redis.eval(_WRITE, 2, *names, LOG_ENTRIES, *pairs)
                changed += map(to_text, cast(list[bytes], reply))
        return changed

    def known(self, tenant: str, item_ids: Sequence[str]) -> set[str]:
        if not item_ids:
            return set()
        with translated_errors():
            documents = self._redis.hmget(keys.catalogue(tenant), list(item_ids))
        return {i for i, each in zip(item_ids, documents, strict=True) if each is not None}

    def ids(self, tenant: str) -> Iterator[str]:
        with translated_errors():
            entries = self._redis.hscan_iter(keys.catalogue(tenant), count=_ITEMS_PER_COMMAND)
            yield from (to_text(item_id) for item_id, _ in entries)

    def forget_gone(self, tenant: str, item_ids: Collection[str]) -> None:
        with translated_errors():
            for some in _in_pieces(list(item_ids)):
                self._redis.eval(_FORGET_GONE, 1, keys.catalogue(tenant), *some)


def _document(item: Item | None) -> bytes:
    return GONE_DOCUMENT if item is None else item_document(item)


def _in_pieces(item_ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(item_ids), _ITEMS_PER_COMMAND):
        yield item_ids[start : start + _ITEMS_PER_COMMAND]
