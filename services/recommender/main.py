"""Wire the recommender by hand and run it until SIGTERM."""

import asyncio
import sys
from functools import partial

import structlog
import uvloop

from recsys.auth.rpc_access import SERVICE_TOKEN_KEY, rpc_access
from recsys.config.followed_file import following
from recsys.config.settings import load_settings
from recsys.config.shops import Shops
from recsys.core.errors import ConfigurationError, Unavailable
from recsys.core.serving.placed_request import AttributesOf
from recsys.rpc.user_attributes import UserAttributes
from recsys.rpc.v1 import ingest_pb2, recommender_pb2, recommender_pb2_grpc
from recsys.runtime.gc import tune_gc
from recsys.runtime.grpc.async_server import AsyncServer, stop_signal
from recsys.runtime.grpc.channel import open_channel
from recsys.runtime.logging import configure_logging
from recsys.runtime.metrics import new_metrics, observed
from recsys.stores.redis.connect import connect_async
from recsys.stores.redis.multiplexed import MultiplexedRedis
from recsys.stores.redis.serving import RedisServingStore
from services.recommender.answer_stream import Streams
from services.recommender.fold_in_worker import FoldInWorker
from services.recommender.model.calibration import compile_answers
from services.recommender.model.follower import POLL_SECONDS, ModelFollower
from services.recommender.named_placements import NamedPlacements
from services.recommender.servicer import RecommenderServicer
from services.recommender.settings import RecommenderSettings
from services.recommender.user_lists import UserLists

SERVICE = recommender_pb2.DESCRIPTOR.services_by_name["RecommenderService"].full_name
_INGEST = ingest_pb2.DESCRIPTOR.services_by_name["IngestService"].full_name

_SWITCH_SECONDS = 0.001

_log = structlog.get_logger()


def main() -> None:
    try:
        settings = load_settings(RecommenderSettings)
        configure_logging("recommender", settings.instance, settings.log_level)
        # Up to half a minute of a whole core, in which nothing listens yet.
        _log.info("compiling_answers")
        compile_answers()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except ConfigurationError as error:
        sys.exit(f"recommender: {error}")


async def serve(settings: RecommenderSettings) -> None:
    """Serve until SIGTERM, then drain."""
    metrics = new_metrics()
    shops = Shops(settings.shop_config, metrics.settings_refused["shops"].inc)
    url = settings.redis_url.get_secret_value()
    redis, shared = connect_async(url), MultiplexedRedis(url)
    metrics.breaker_open["recommender", "redis"].set_function(lambda: not shared.is_available)
    store = RedisServingStore(redis, shared)
    follower = ModelFollower(store, settings.tenants, settings.cache_bytes, metrics)
    fold_ins, streams = FoldInWorker(), Streams(follower)
    access = rpc_access(settings, metrics.settings_refused["api_keys"].inc, shops.limits_of)
    server = AsyncServer(
        SERVICE,
        settings.max_calls,
        metrics.requests,
        reflection=settings.reflection,
        authorize=access,
    )
    placements = NamedPlacements(shops, _attributes_of(settings))
    recommender_pb2_grpc.add_RecommenderServiceServicer_to_server(
        RecommenderServicer(follower, UserLists(store, fold_ins, metrics), streams, placements),
        server.grpc,
    )
    await server.start(settings.listen)
    for tenant in settings.tenants:
        await server.set_part_serving(tenant, False)
    follower.on_model_loaded = partial(server.set_part_serving, serving=True)
    stopping = asyncio.create_task(stop_signal())
    serving = asyncio.create_task(_serve_models(follower, server, streams))
    tune_gc()
    # The event loop gets its turn back this fast from a thread that folds in or loads a model.
    sys.setswitchinterval(_SWITCH_SECONDS)
    with (
        observed(metrics, settings.metrics_listen),
        following(*(each.follow for each in (shops, access) if each)),
    ):
        await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        # Before the metrics end: that takes half a second in which nothing here is answered.
        streams.drain()
        await server.stop(settings.drain_seconds)
    fold_ins.close()
    await shared.aclose()
    await redis.aclose()
    if serving.done() and not serving.cancelled():
        serving.result()


def _attributes_of(settings: RecommenderSettings) -> AttributesOf:
    """What shops say of their users, as ingest knows it."""
    if settings.ingest_target is None:
        return _unknown
    # Open for as long as the process lives.
    channel = open_channel(settings.ingest_target, _INGEST)
    # Connect now, not with the first request.
    channel.get_state(try_to_connect=True)
    token = settings.service_token.get_secret_value()
    return UserAttributes(channel, ((SERVICE_TOKEN_KEY, token),)).of


async def _unknown(tenant: str, user_id: str) -> None:
    """Nobody is there to ask."""


async def _serve_models(follower: ModelFollower, server: AsyncServer, streams: Streams) -> None:
    """Ready once the store was read; a store lost later only degrades answers."""
    while True:
        try:
            await follower.refresh()
            break
        except Unavailable as error:
            _log.warning("pointer_unreadable", reason=str(error))
            await asyncio.sleep(POLL_SECONDS)
    for tenant in follower.tenants_without_model():
        _log.warning("no_model_yet", tenant=tenant, remedy="recsys nightly")
    await server.set_serving(True)
    streams.ready.set()
    await follower.follow()
