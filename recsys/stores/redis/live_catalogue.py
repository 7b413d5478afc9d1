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

# What an entry takes beside its id and its document is 64 bytes, about.
# What is there already is no change: a file that is imported again makes nobody read anything.
_WRITE = """
local changed, grown = {}, 0
-- Of a catalogue that nobody has counted yet, by an earlier release for instance.
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('SET', KEYS[3], redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 0) or 0)
end
for i = 2, #ARGV, 2 do
  local before = redis.call('HGET', KEYS[1], ARGV[i])
  if before ~= ARGV[i + 1] then
    grown = grown + #ARGV[i + 1] - (before and #before or -64 - #ARGV[i])
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'item', ARGV[i])
    changed[#changed + 1] = ARGV[i]
  end
end
redis.call('INCRBY', KEYS[3], grown)
return changed
"""
# In one step with its test: an item that was put again meanwhile stays.
_FORGET_GONE = """
for i = 1, #ARGV do
  if redis.call('HGET', KEYS[1], ARGV[i]) == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('DECRBY', KEYS[2], 64 + #ARGV[i])
  end
end
"""


class RedisLiveCatalogue:
    """The LiveCatalogue port."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def write(self, tenant: str, items: Mapping[str, Item | None]) -> list[str]:
        names = keys.catalogue(tenant), keys.catalogue_log(tenant), keys.catalogue_bytes(tenant)
        changed: list[str] = []
        with translated_errors():
            for some in _in_pieces(list(items)):
                pairs = [part for item_id in some for part in (item_id, _document(items[item_id]))]
                reply = self._redis.eval(_WRITE, 3, *names, LOG_ENTRIES, *pairs)
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
                names = keys.catalogue(tenant), keys.catalogue_bytes(tenant)
                self._redis.eval(_FORGET_GONE, 2, *names, *some)

    def size(self, tenant: str) -> int:
        with translated_errors():
            return int(cast(bytes | None, self._redis.get(keys.catalogue_bytes(tenant))) or 0)


def _document(item: Item | None) -> bytes:
    return GONE_DOCUMENT if item is None else item_document(item)


def _in_pieces(item_ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(item_ids), _ITEMS_PER_COMMAND):
        yield item_ids[start : start + _ITEMS_PER_COMMAND]
