"""The unary RPCs of the recommender: the same answers as those of streams, as messages."""

from collections.abc import Awaitable
from typing import Any

from recsys.core.serving.lists import Recommendations
from recsys.core.serving.pipeline import similar_items
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    SessionTarget,
    Target,
    UserTarget,
)
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1 import recommender_pb2_grpc
from services.recommender.answer_batch import SOURCES, BatchAnswers
from services.recommender.answer_stream import AnswerStream, Streams
from services.recommender.model.follower import ModelFollower
from services.recommender.model.loaded_model import LoadedModel
from services.recommender.model.serving import Serving
from services.recommender.user_lists import UserLists, UserQuery, UserResult

# For callers that set no deadline.
_UNHURRIED_SECONDS = 1.0


class RecommenderServicer(recommender_pb2_grpc.RecommenderServiceServicer):
    """RecommenderService over the follower's models and the users' lists."""

    def __init__(self, follower: ModelFollower, user_lists: UserLists, streams: Streams) -> None:
        self._follower = follower
        self._user_lists = user_lists
        self._streams = streams

    async def RecommendForUser(  # noqa: N802  # named by the proto
        self, request: pb.RecommendForUserRequest, context: Any
    ) -> pb.RecommendForUserResponse:
        asked, serving = self._checked(request, UserTarget(request.user_id), context)
        query = UserQuery(serving, asked.tenant, request.user_id, asked.budget_seconds)
        [found] = await self._user_lists.find([query])
        return pb.RecommendForUserResponse(answer=await _message(found, request.limit))

    async def RecommendForSession(  # noqa: N802  # named by the proto
        self, request: pb.RecommendForSessionRequest, context: Any
    ) -> pb.RecommendForSessionResponse:
        target = SessionTarget(tuple(request.item_ids))
        asked, serving = self._checked(request, target, context)
        found = self._user_lists.of_session(serving, target.item_ids, asked.budget_seconds)
        return pb.RecommendForSessionResponse(answer=await _message(found, request.limit))

    async def SimilarItems(  # noqa: N802  # named by the proto
        self, request: pb.SimilarItemsRequest, context: Any
    ) -> pb.SimilarItemsResponse:
        _, serving = self._checked(request, ItemTarget(request.item_id), context)
        row = serving.model.items.ids.index_of(request.item_id)
        answer = similar_items(serving.now, row, request.limit)
        return pb.SimilarItemsResponse(answer=_to_proto(answer, serving.model, degraded=False))

    # The stubs know only the generators' way; this one reads and writes when it wants to.
    async def StreamAnswers(  # type: ignore[override]  # noqa: N802
        self, request_iterator: Any, context: Any
    ) -> None:
        del request_iterator
        answers = BatchAnswers(self._follower, self._user_lists)
        await AnswerStream(answers, self._streams, context).serve()

    def _checked(
        self, request: Any, target: Target, context: Any
    ) -> tuple[RecommendationRequest, Serving]:
        left = context.time_remaining()
        seconds = _UNHURRIED_SECONDS if left is None else float(left)
        asked = RecommendationRequest(request.tenant, target, request.limit, seconds)
        return asked, self._follower.serving(asked.tenant)


async def _message(found: UserResult | Awaitable[UserResult], limit: int) -> pb.Answer:
    ready = found if isinstance(found, UserResult) else await found
    return _to_proto(ready.recommendations(limit), ready.serving.model, degraded=ready.degraded)


def _to_proto(answer: Recommendations, model: LoadedModel, *, degraded: bool) -> pb.Answer:
    items = [
        pb.ScoredItem(
            item_id=model.shown.id_of(entry.item_index),
            title=model.shown.title_of(entry.item_index),
            price=model.shown.price_of(entry.item_index),
            score=entry.score,
        )
        for entry in answer.ranked
    ]
    return pb.Answer(
        items=items,
        source=SOURCES[answer.source],
        model_version=model.version,
        degraded=degraded,
    )
