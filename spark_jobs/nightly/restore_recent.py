"""Restore recent events since a model's training, from HBase to a Redis that lost them."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import closing

from pyspark.sql import SparkSession

from recsys.core.domain import ReceivedEvent
from recsys.core.event_types import details_that_count, has_effect
from recsys.core.purchases import purchases_of
from recsys.stores.hbase.interaction_scan import InteractionScan
from recsys.stores.hbase.pool import TASK_POOL, HBasePool
from recsys.stores.hbase.table import KeyRange
from recsys.stores.manifest import Manifest
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.purchases import RedisPurchaseLog
from recsys.stores.redis.recent import RedisRecentBehaviour
from spark_jobs.nightly.forgotten_users import forgotten_users
from spark_jobs.task_errors import errors_of_tasks


def restore_recent(
    spark: SparkSession,
    hbase_thrift: str,
    redis_url: str,
    manifest: Manifest,
    windowed_types: Collection[str] = (),
) -> int:
    """Remember again, as received, every event that counts and is not in the model; their number.

    Args:
        windowed_types: types of events that the shop counts in windows of popularity.

    Raises:
        Unavailable: when HBase or Redis does not answer; doing it again is safe.
    """
    tenant, params = manifest.tenant, manifest.recipe.to_params()
    event_types = params.event_types
    with_details = bool(details_that_count(event_types.values()))

    def restore(some: Iterable[KeyRange]) -> Iterator[int]:
        with closing(HBasePool(hbase_thrift, TASK_POOL)) as pool, connect(redis_url) as client:
            scan, recent = (
                InteractionScan(pool, tenant),
                RedisRecentBehaviour(client, lambda _: event_types),
            )
            for key_range in some:
                received = scan.read_received(
                    key_range, params.read_at_ms, params.end_ms, with_details=with_details
                )
                for events in received:
                    counting = [
                        each for each in events if has_effect(each.event.event_type, event_types)
                    ]
                    recent.restore(tenant, counting)
                    _count_again(client, tenant, events, params.read_at_ms, windowed_types)
                    yield len(counting)

    with closing(HBasePool(hbase_thrift, TASK_POOL)) as pool, connect(redis_url) as client:
        ranges = InteractionScan(pool, tenant).ranges()
        # Of whom a backup of Redis may have brought back what they did.
        recent = RedisRecentBehaviour(client, lambda _: event_types)
        for user_id in forgotten_users(pool, manifest):
            recent.forget(tenant, user_id)
    context = spark.sparkContext
    partitions = min(len(ranges), context.defaultParallelism)
    with errors_of_tasks():
        return int(context.parallelize(ranges, partitions).mapPartitions(restore).sum())


def _count_again(
    client: Redis,
    tenant: str,
    received: Iterable[ReceivedEvent],
    read_at_ms: int,
    windowed_types: Collection[str],
) -> None:
    """Count purchases as the ingest service did; whoever has counted one does not do so again."""
    since = (each for each in received if each.received_ms >= read_at_ms)
    if purchases := purchases_of(since, windowed_types):
        RedisPurchaseLog(client).append(tenant, purchases)
