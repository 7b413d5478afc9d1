"""A recommender that answers each unary RPC by a GET to Redis."""

import argparse
import asyncio
from typing import Any

import grpc
import redis.asyncio

from recsys.core.model import ItemModel
from recsys.core.serving.lists import Recommendations
from recsys.core.serving.model import ServingModel
from recsys.core.serving.pipeline import recommend_for_user
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1 import recommender_pb2_grpc
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import unpack_items
from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_bytes, to_text
from recsys.stores.redis.user_record import unpack_user


class PlainRecommender(recommender_pb2_grpc.RecommenderServiceServicer):
    """Stored lists of one model; neither recent behaviour nor hidden items are asked for."""

    def __init__(self, client: "redis.asyncio.Redis", version: str, model: ServingModel) -> None:
        self._redis = client
        self._version = version
        self._model = model

    async def RecommendForUser(  # noqa: N802  # named by the proto
        self, request: pb.RecommendForUserRequest, context: Any
    ) -> pb.RecommendForUserResponse:
        del context
        record = await self._redis.get(keys.user(request.tenant, self._version, request.user_id))
        stored = unpack_user(to_bytes(record)) if record else None
        answer = recommend_for_user(self._model, stored, [], request.limit)
        items = self._model.items
        return pb.RecommendForUserResponse(answer=to_proto(answer, items, self._version))


def to_proto(answer: Recommendations, items: ItemModel, version: str) -> pb.Answer:
    scored = [
        pb.ScoredItem(
            item_id=items.ids.id_of(entry.item_index),
            title=items.titles[entry.item_index],
            score=entry.score,
        )
        for entry in answer.ranked
    ]
    source = pb.Source.Value(f"SOURCE_{answer.source.name}")
    return pb.Answer(items=scored, source=source, model_version=version)


async def read_model(client: "redis.asyncio.Redis", tenant: str) -> tuple[str, ServingModel]:
    """The tenant's current version. Raises SystemExit when none is published."""
    version = to_text(await client.get(keys.current_model(tenant)) or b"")
    if not version:
        raise SystemExit(f"no model of {tenant} is published")
    manifest = to_bytes(await client.get(keys.manifest(tenant, version)) or b"")
    chunks: list[bytes] = []
    while chunk := await client.get(keys.items_chunk(tenant, version, len(chunks))):
        chunks.append(to_bytes(chunk))
    params = Manifest.from_json(manifest).recipe.to_params()
    return version, ServingModel.of(unpack_items(b"".join(chunks)), params)


async def serve(port: int, url: str, tenant: str) -> None:
    """Serve the tenant's current model until the process is ended."""
    async with redis.asyncio.Redis.from_url(url) as client:
        servicer = PlainRecommender(  # type: ignore[abstract]  # one RPC is asked for
            client, *await read_model(client, tenant)
        )
        server = grpc.aio.server()
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
