"""Purchases of the last days: a stream a tenant, bounded in entries and in age."""

from collections.abc import Sequence

import redis

from recsys.clock import utc_now_ms
from recsys.core.purchases import Purchase
from recsys.core.times import MS_PER_DAY
from recsys.stores.redis import keys
from recsys.stores.redis.connect import translated_errors

# Some 10 MB. Of a shop that sells more between two nights the latest count.
MAX_ENTRIES = 100_000
# Models are younger; where no night went well for longer, what is popular is that of then.
KEPT_DAYS = 3
ITEM, MARK = "item", "mark"


class RedisPurchaseLog:
    """The PurchaseLog port."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def append(self, tenant: str, purchases: Sequence[Purchase]) -> None:
        key = keys.purchases(tenant)
        oldest_ms = utc_now_ms() - int(KEPT_DAYS * MS_PER_DAY)
        with translated_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for item_id, mark in purchases:
                pipeline.xadd(key, {ITEM: item_id, MARK: mark}, maxlen=MAX_ENTRIES)
            pipeline.xtrim(key, minid=oldest_ms, approximate=False)
            pipeline.expire(key, int(KEPT_DAYS * MS_PER_DAY / 1000))
            pipeline.execute()
