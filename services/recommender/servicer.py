"""The RPCs of the recommender."""

from typing import Any

import structlog

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput, InvalidModel, Unavailable
from recsys.core.ports import ServingStore
from recsys.core.recommend import Answer, Source, recommend_for_user, similar_items
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1 import recommender_pb2_grpc
from services.recommender.follower import ModelFollower
from services.recommender.loaded_model import LoadedModel

MAX_LIMIT = 100
_SOURCES = {
    Source.STORED: pb.SOURCE_STORED,
    Source.FOLD_IN: pb.SOURCE_FOLD_IN,
    Source.NEIGHBOURS: pb.SOURCE_NEIGHBOURS,
    Source.POPULAR: pb.SOURCE_POPULAR,
}

_log = structlog.get_logger()


class RecommenderServicer(recommender_pb2_grpc.RecommenderServiceServicer):
    """RecommenderService over the follower's models and the serving store."""

    def __init__(self, follower: ModelFollower, store: ServingStore) -> None:
        self._follower = follower
        self._store = store

    async def RecommendForUser(  # noqa: N802  # named by the proto
        self, request: pb.RecommendForUserRequest, context: Any
    ) -> pb.RecommendForUserResponse:
        del context
        _check(user_id=request.user_id, limit=request.limit)
        serving = self._follower.serving(request.tenant)
        model, degraded = serving.model, False
        try:
            stored, recent = await self._store.user(request.tenant, model.version, request.user_id)
        except (Unavailable, InvalidModel) as error:
            _log.warning("user_unreadable", reason=str(error))
            stored, recent, degraded = None, [], True
        answer = recommend_for_user(
            model.items, model.recipe, stored, recent, serving.hidden, request.limit
        )
        return pb.RecommendForUserResponse(answer=_to_proto(answer, model, degraded))

    async def SimilarItems(  # noqa: N802  # named by the proto
        self, request: pb.SimilarItemsRequest, context: Any
    ) -> pb.SimilarItemsResponse:
        del context
        _check(item_id=request.item_id, limit=request.limit)
        serving = self._follower.serving(request.tenant)
        model = serving.model
        row = model.items.ids.index_of(request.item_id)
        answer = similar_items(model.items, row, serving.hidden, request.limit)
        return pb.SimilarItemsResponse(answer=_to_proto(answer, model, degraded=False))


def _check(*, limit: int, **ids: str) -> None:
    problems = [
        FieldProblem(name, reason)
        for name, value in ids.items()
        if (reason := identifier_problem(value))
    ]
    if not 1 <= limit <= MAX_LIMIT:
        problems.append(FieldProblem("limit", f"must be between 1 and {MAX_LIMIT}"))
    if problems:
        raise InvalidInput(problems)


def _to_proto(answer: Answer, model: LoadedModel, degraded: bool) -> pb.Answer:
    items = [
        pb.ScoredItem(
            item_id=model.items.ids.id_of(entry.item_index),
            title=model.items.titles[entry.item_index],
            score=entry.score,
        )
        for entry in answer.ranked
    ]
    return pb.Answer(
        items=items,
        source=_SOURCES[answer.source],
        model_version=model.version,
        degraded=degraded,
    )
