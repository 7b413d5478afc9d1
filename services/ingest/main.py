"""Wires the ingest service by hand and runs it until it is told to stop."""

import math
import sys
import uuid
from functools import partial

from recsys.auth.rpc_access import rpc_access
from recsys.clock import utc_now_ms
from recsys.config.followed_file import following
from recsys.config.settings import load_settings
from recsys.config.shops import Shops
from recsys.core.errors import ConfigurationError, Unavailable
from recsys.rpc.v1.ingest_pb2_grpc import add_IngestServiceServicer_to_server
from recsys.runtime.grpc.thread_server import ThreadServer, wait_for_stop_signal
from recsys.runtime.logging import configure_logging
from recsys.runtime.metrics import new_metrics, observed
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from recsys.stores.hbase.users import HBaseUserStore
from recsys.stores.redis.connect import Redis, connect, server_time_ms
from recsys.stores.redis.early_popularity import RedisEarlyPopularity
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.purchases import RedisPurchaseLog
from recsys.stores.redis.recent import RedisRecentBehaviour
from recsys.stores.redis.reports import RedisReports
from services.ingest.catalogue import Catalogue
from services.ingest.cold_start import ColdStart
from services.ingest.erase_user import UserEraser
from services.ingest.health_probe import HealthProbe
from services.ingest.merge_users import UserMerger
from services.ingest.recent_event_buffer import RecentEventBuffer
from services.ingest.record_events import EventRecorder
from services.ingest.servicer import SERVICE, IngestServicer
from services.ingest.settings import IngestSettings
from services.ingest.users import Users

# An event takes two writes, its id's and its own: within the gateway's five seconds there is room
# for both to time out, so that clients are told to come again, and not that nobody knows.
_HBASE_CALL_SECONDS = 2.0
_HBASE_WAIT_SECONDS = 1.0
# Ids are claimed on several connections, so that the claims share the syncs of HBase's log: enough
# for two batches at a time, one of each gateway.
_EXTRA_CONNECTIONS = 14
_REDIS_SECONDS = 0.5
_PROBE_CALL_SECONDS = 2.0
_PROBE_EVERY_SECONDS = 1.0


def main() -> None:
    """Run the service."""
    try:
        settings = load_settings(IngestSettings)
        configure_logging("ingest", settings.instance, settings.log_level)
        serve(settings)
    except ConfigurationError as error:
        sys.exit(f"ingest: {error}")


def serve(settings: IngestSettings) -> None:
    """Serve until SIGTERM, then drain."""
    thrift = str(settings.hbase_thrift)
    stores = HBasePool(
        thrift,
        PoolSettings(
            size=settings.threads,
            extra=_EXTRA_CONNECTIONS,
            call_timeout_seconds=_HBASE_CALL_SECONDS,
            wait_timeout_seconds=_HBASE_WAIT_SECONDS,
        ),
    )
    # Apart from the others, so that a busy service does not look like a dead HBase.
    probed = HBasePool(thrift, PoolSettings(size=1, call_timeout_seconds=_PROBE_CALL_SECONDS))
    redis = connect(settings.redis_url.get_secret_value(), _REDIS_SECONDS)
    metrics = new_metrics()
    metrics.show_clock(partial(clock_ahead_seconds, redis))
    shops = Shops(settings.shop_config, metrics.settings_refused["shops"].inc)
    recent_events = RecentEventBuffer(
        RedisRecentBehaviour(redis, shops.event_types_of, shops.quotas_of),
        lambda up: metrics.breaker_open["ingest", "redis"].set(not up),
    )
    items, live = HBaseItemStore(stores), RedisLiveCatalogue(redis)
    published = RedisPublishedModels(redis)
    cold_start = ColdStart(
        published,
        RedisEarlyPopularity(redis),
        recent_events,
        items,
        live,
        shops.event_types_of,
    )
    interactions = HBaseInteractionStore(stores)
    recorder = EventRecorder(
        interactions,
        recent_events,
        cold_start,
        RedisPurchaseLog(redis),
        shops.event_types_of,
        clock=utc_now_ms,
        new_event_id=lambda: uuid.uuid4().hex,
        counts_impressions=lambda tenant: shops.of(tenant).counts_impressions,
        windowed_types_of=lambda tenant: shops.of(tenant).windowed_types,
    )
    users = Users(HBaseUserStore(stores), utc_now_ms)
    servicer = IngestServicer(
        recorder,
        Catalogue(items, live, shops.quotas_of),
        cold_start,
        UserMerger(interactions, recent_events, users, shops.event_types_of, utc_now_ms),
        UserEraser(interactions, recent_events, published, users, utc_now_ms),
        RedisReports(redis),
        users,
    )

    access = rpc_access(settings, metrics.settings_refused["api_keys"].inc, shops.limits_of)
    server = ThreadServer(
        SERVICE,
        settings.threads,
        metrics.requests,
        reflection=settings.reflection,
        authorize=access,
    )
    add_IngestServiceServicer_to_server(servicer, server.grpc)
    server.start(settings.listen)

    def report(answers: bool) -> None:
        # Gateways ask no replica that says it does not serve: this is the breaker before HBase.
        server.set_serving(answers)
        metrics.breaker_open["ingest", "hbase"].set(not answers)

    probe = HealthProbe(probed.ping, report, _PROBE_EVERY_SECONDS)
    probe.start()
    recent_events.start()
    with (
        observed(metrics, settings.metrics_listen),
        following(*(each.follow for each in (shops, access) if each)),
    ):
        wait_for_stop_signal()
        # Shown until the last call has ended.
        server.stop(settings.drain_seconds)
    probe.stop()
    recent_events.stop()
    stores.close()
    probed.close()
    redis.close()


def clock_ahead_seconds(redis: Redis) -> float:
    """Seconds that this clock is ahead of Redis's; NaN while Redis does not answer.

    What came after a night's cutoff by a clock that is behind looks older than that: it would count
    in no answer before the next night.
    """
    try:
        return (utc_now_ms() - server_time_ms(redis)) / 1000
    except Unavailable:
        return math.nan
