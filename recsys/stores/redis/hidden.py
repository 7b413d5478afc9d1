"""Hidden items: one set a tenant."""

from collections.abc import Sequence
from itertools import compress

import redis

from recsys.stores.redis import keys
from recsys.stores.redis.connect import translated_errors


class RedisHiddenItems:
    """The HiddenItems port. Calls may raise Unavailable."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def hide(self, tenant: str, item_id: str) -> None:
        with translated_errors(), self._redis.pipeline(transaction=True) as both:
            both.sadd(keys.hidden_items(tenant), item_id)
            both.incr(keys.hidden_changes(tenant))
            both.execute()

    def show(self, tenant: str, item_id: str) -> None:
        with translated_errors(), self._redis.pipeline(transaction=True) as both:
            both.srem(keys.hidden_items(tenant), item_id)
            both.incr(keys.hidden_changes(tenant))
            both.execute()

    def hidden(self, tenant: str, item_ids: Sequence[str]) -> set[str]:
        if not item_ids:
            return set()
        with translated_errors():
            are_hidden = self._redis.smismember(keys.hidden_items(tenant), list(item_ids))
        return set(compress(item_ids, are_hidden))
