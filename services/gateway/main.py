"""Wires the gateway by hand and runs it until it is told to stop."""

import asyncio
import math
import sys

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from recsys.auth.key_reload import WatchedKeyRing
from recsys.auth.rate_limiter import RateLimiter
from recsys.auth.rpc_access import SERVICE_TOKEN_KEY
from recsys.clock import utc_now_ms
from recsys.config.followed_file import following
from recsys.config.settings import load_settings
from recsys.config.shops import Shops
from recsys.core.errors import ConfigurationError
from recsys.rpc.user_attributes import UserAttributes
from recsys.runtime.gc import tune_gc
from recsys.runtime.grpc.channel import open_channel
from recsys.runtime.logging import configure_logging
from recsys.runtime.metrics import BusySampler, new_metrics
from services.gateway.app import serving_app
from services.gateway.dependencies import Dependencies
from services.gateway.http.protocol import GatewayProtocol
from services.gateway.http.rate_limits import ClientSource, FailedKeys, RateLimits
from services.gateway.http.readiness import DrainingServer, Readiness
from services.gateway.http.request_context import AccessLog
from services.gateway.settings import GatewaySettings
from services.gateway.upstream.ingest import INGEST, Ingest
from services.gateway.upstream.recommenders import Recommenders
from services.gateway.upstream.replicas import ReplicaAddresses

# Longer than a load balancer keeps an idle connection, so that it is the one to close it.
_KEEP_ALIVE_SECONDS = 75

_log = structlog.get_logger()


def main() -> None:
    try:
        settings = load_settings(GatewaySettings)
        configure_logging("gateway", settings.instance, settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except ConfigurationError as error:
        sys.exit(f"gateway: {error}")


async def serve(settings: GatewaySettings) -> None:
    """Serve until SIGTERM, then drain."""
    metrics = new_metrics()
    keys = WatchedKeyRing(settings.api_keys, metrics.settings_refused["api_keys"].inc)
    shops = Shops(settings.shop_config, metrics.settings_refused["shops"].inc)
    for tenant in set(shops.tenants()) - keys.tenants():
        _log.warning("shop_without_key", tenant=tenant)
    to_ingest = open_channel(settings.ingest_target, INGEST)
    token = settings.service_token.get_secret_value()
    recommender = Recommenders(
        ReplicaAddresses(settings.recommender_target),
        settings.read_seconds,
        settings.max_pending,
        token,
    )
    metrics.breaker_open["gateway", "recommender"].set_function(lambda: not recommender.is_ready())
    metrics.show_recommenders(recommender.count_ready)
    ingest = Ingest(to_ingest, token)
    readiness = Readiness(recommender, ingest)
    access_log = AccessLog("gateway", settings.instance, sys.stdout.write)
    app = serving_app(
        Dependencies(
            keys=keys,
            failed_keys=FailedKeys(settings.trusted_proxies),
            rate_limits=RateLimits(
                RateLimiter(), ClientSource(settings.trusted_proxies), shops.limits_of
            ),
            recommender=recommender,
            ingest=ingest,
            readiness=readiness,
            metrics=metrics,
            access_log=access_log,
            event_types=shops.event_types,
            event_types_of=shops.event_types_of,
            windows_of=shops.windows_of,
            placements_of=shops.placements_of,
            experiments_of=shops.experiments_of,
            user_attributes=UserAttributes(to_ingest, ((SERVICE_TOKEN_KEY, token),)),
            allowed_origins_of=shops.allowed_origins_of,
            now_ms=utc_now_ms,
            read_seconds=settings.read_seconds,
            write_seconds=settings.write_seconds,
        )
    )
    server = DrainingServer(server_config(app, settings), readiness, settings.drain_notice_seconds)
    tune_gc()
    with BusySampler(metrics.busy_ratio), following(keys.follow, shops.follow):
        await server.serve()
    await recommender.close()
    await to_ingest.close(None)
    access_log.flush()


def server_config(app: ASGIApp, settings: GatewaySettings) -> uvicorn.Config:
    """Configure uvicorn."""
    return uvicorn.Config(
        app,
        host=settings.listen.host,
        port=settings.listen.port,
        lifespan="off",
        # Logs are set up already; each request has its line from RequestContext.
        log_config=None,
        access_log=False,
        http=GatewayProtocol,
        # No route speaks WebSocket: an upgrade is ignored, as HTTP allows, and its GET answered.
        ws="none",
        # Only `failed_keys` asks who the client is, and believes the balancers it is told of.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
    )
