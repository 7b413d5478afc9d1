"""A gateway of FastAPI and pydantic over a unary RPC."""

import argparse
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import grpc
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Query
from pydantic import BaseModel

from recsys.auth.api_keys import KeyRing
from recsys.auth.key_file import load_keys
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub

_RPC_SECONDS = 1.0


class Item(BaseModel):
    item_id: str
    title: str | None
    score: float | None


class Recommendations(BaseModel):
    user_id: str
    items: list[Item]
    source: str
    model_version: str
    degraded: bool
    request_id: str


def build_app(keys: KeyRing, recommenders: str) -> FastAPI:
    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        balanced = [("grpc.lb_policy_name", "round_robin")]
        async with grpc.aio.insecure_channel(recommenders, options=balanced) as channel:
            app.state.recommender = RecommenderServiceStub(channel)
            yield

    app = FastAPI(lifespan=connected)

    @app.get("/readyz")
    async def ready() -> None: ...

    @app.get("/v1/users/{user_id}/recommendations")
    async def recommend(
        user_id: str,
        x_api_key: Annotated[str, Header()],
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Recommendations:
        key = keys.authenticate(x_api_key)
        if key is None:
            raise HTTPException(401, "the API key is wrong")
        question = pb.RecommendForUserRequest(tenant=key.tenant, user_id=user_id, limit=limit)
        response = await app.state.recommender.RecommendForUser(question, timeout=_RPC_SECONDS)
        return recommendations(user_id, response.answer)

    return app


def recommendations(user_id: str, answer: pb.Answer) -> Recommendations:
    items = [
        Item(
            item_id=item.item_id,
            title=item.title or None,
            score=item.score if item.HasField("score") else None,
        )
        for item in answer.items
    ]
    return Recommendations(
        user_id=user_id,
        items=items,
        source=pb.Source.Name(answer.source).removeprefix("SOURCE_").lower(),
        model_version=answer.model_version,
        degraded=answer.degraded,
        request_id=uuid.uuid4().hex,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--recommenders", required=True, help="a gRPC target")
    parser.add_argument("--api-keys", type=Path, required=True)
    arguments = parser.parse_args()
    app = build_app(KeyRing(load_keys(arguments.api_keys)), arguments.recommenders)
    # Without uvicorn's line a request: in this path's favour, since ours writes one.
    uvicorn.run(app, port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
