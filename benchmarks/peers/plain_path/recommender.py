"""A recommender that answers each unary RPC by a GET to Redis."""

import argparse
import asyncio
from typing import Any

import grpc
import redis.asyncio

from recsys.core.recommend import Answer, recommend_for_user
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1 import recommender_pb2_grpc
from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_bytes
from recsys.stores.redis.serving import RedisServingStore
from recsys.stores.redis.user_record import unpack_user
from services.recommender.loaded_model import LoadedModel, load_model


class PlainRecommender(recommender_pb2_grpc.RecommenderServiceServicer):
    """Stored lists of one model; neither recent behaviour nor hidden items are asked for."""

    def __init__(self, client: "redis.asyncio.Redis", model: LoadedModel) -> None:
        self._redis = client
        self._model = model

    async def RecommendForUser(  # noqa: N802  # named by the proto
        self, request: pb.RecommendForUserRequest, context: Any
    ) -> pb.RecommendForUserResponse:
        del context
        model = self._model
        record = await self._redis.get(keys.user(request.tenant, model.version, request.user_id))
        stored = unpack_user(to_bytes(record)) if record else None
        answer = recommend_for_user(
            model.items, model.recipe, stored, [], frozenset(), request.limit
        )
        return pb.RecommendForUserResponse(answer=to_proto(answer, model))


def to_proto(answer: Answer, model: LoadedModel) -> pb.Answer:
    items = [
        pb.ScoredItem(
            item_id=model.items.ids.id_of(entry.item_index),
            title=model.items.titles[entry.item_index],
            score=entry.score,
        )
        for entry in answer.ranked
    ]
    source = pb.Source.Value(f"SOURCE_{answer.source.name}")
    return pb.Answer(items=items, source=source, model_version=model.version)


async def serve(port: int, url: str, tenant: str) -> None:
    """Serve the tenant's current model until the process is ended."""
    async with redis.asyncio.Redis.from_url(url) as client:
        store = RedisServingStore(client)
        version = await store.current(tenant)
        if version is None:
            raise SystemExit(f"no model of {tenant} is published")
        model = load_model(*await store.item_side(tenant, version))
        server = grpc.aio.server()
        servicer = PlainRecommender(client, model)  # type: ignore[abstract]  # one RPC is asked for
        recommender_pb2_grpc.add_RecommenderServiceServicer_to_server(servicer, server)
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        await server.wait_for_termination()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--tenant", required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.redis, arguments.tenant))


if __name__ == "__main__":
    main()
