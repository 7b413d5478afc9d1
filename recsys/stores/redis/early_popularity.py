"""Popularity before the first model: one sorted set a tenant, bounded and expiring."""

from collections.abc import Mapping
from typing import cast

import redis

from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_text, translated_errors

# Events may name items nobody has: some 10 MB. So many that one which is new can still rise.
MAX_ITEMS = 100_000
# Nobody reads it once there is a model; a shop that is abandoned before leaves nothing behind.
EXPIRE_SECONDS = 30 * 24 * 3600


class RedisEarlyPopularity:
    """The EarlyPopularity port."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def count(self, tenant: str, strengths: Mapping[str, float]) -> None:
        key = keys.early_popularity(tenant)
        with translated_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for item_id, strength in strengths.items():
                pipeline.zincrby(key, strength, item_id)
            pipeline.zremrangebyrank(key, 0, -MAX_ITEMS - 1)
            pipeline.expire(key, EXPIRE_SECONDS)
            pipeline.execute()

    def most_popular(self, tenant: str, count: int) -> list[str]:
        key = keys.early_popularity(tenant)
        with translated_errors():
            members = self._redis.zrevrangebyscore(key, "+inf", "(0", start=0, num=count)
        return [to_text(member) for member in cast(list[bytes], members)]
