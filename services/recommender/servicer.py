"""The unary RPCs of the recommender: the same answers as those of streams, as messages."""

import time
from dataclasses import replace
from typing import Any

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput, NotFound
from recsys.core.limits import MAX_PAGE_PLACEMENTS
from recsys.core.serving.lists import Reason, Recommendations
from recsys.core.serving.placed_request import ShownPlacement, page_problem
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    SessionTarget,
    UserTarget,
)
from recsys.rpc.questions import reranking_of
from recsys.rpc.recommendation_id import new_recommendation_id
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1 import recommender_pb2_grpc
from services.recommender.answer_batch import SOURCES, BatchAnswers
from services.recommender.answer_stream import AnswerStream, Streams
from services.recommender.asked import Asked
from services.recommender.model.follower import ModelFollower
from services.recommender.model.serving import LoadedModel
from services.recommender.named_placements import NamedPlacements, WantedList
from services.recommender.user_lists import UserLists
from services.recommender.user_result import UserResult

# For callers that set no deadline.
_UNHURRIED_SECONDS = 1.0


class RecommenderServicer(recommender_pb2_grpc.RecommenderServiceServicer):
    """RecommenderService over the follower's models and the users' lists."""

    def __init__(
        self,
        follower: ModelFollower,
        user_lists: UserLists,
        streams: Streams,
        placements: NamedPlacements,
    ) -> None:
        self._placements = placements
        self._follower = follower
        self._user_lists = user_lists
        self._streams = streams

    async def RecommendForUser(  # noqa: N802  # named by the proto
        self, request: pb.RecommendForUserRequest, context: Any
    ) -> pb.RecommendForUserResponse:
        target = UserTarget(request.user_id)
        asked = RecommendationRequest(request.tenant, target, request.limit)
        return pb.RecommendForUserResponse(answer=await self._answer(asked, None, context))

    async def RecommendForSession(  # noqa: N802  # named by the proto
        self, request: pb.RecommendForSessionRequest, context: Any
    ) -> pb.RecommendForSessionResponse:
        target = SessionTarget(tuple(request.item_ids))
        asked = RecommendationRequest(request.tenant, target, request.limit)
        return pb.RecommendForSessionResponse(answer=await self._answer(asked, None, context))

    async def Recommend(  # noqa: N802  # named by the proto
        self, request: pb.RecommendRequest, context: Any
    ) -> pb.RecommendResponse:
        wanted = await self._placements.read(request)
        return pb.RecommendResponse(answer=await self._answer(*wanted, context))

    async def RecommendPage(  # noqa: N802  # named by the proto
        self, request: pb.RecommendPageRequest, context: Any
    ) -> pb.RecommendPageResponse:
        answers, shown = list[pb.Answer](), list[str]()
        for asked, placement in await self._of_page(request):
            excluded = (*asked.excluded_item_ids, *shown)
            asked = replace(asked, excluded_item_ids=excluded)
            answers.append(await self._answer(asked, placement, context))
            if not request.repeats_allowed:
                shown += [item.item_id for item in answers[-1].items]
        return pb.RecommendPageResponse(answers=answers)

    async def RerankItems(  # noqa: N802  # named by the proto
        self, request: pb.RerankItemsRequest, context: Any
    ) -> pb.RerankItemsResponse:
        found = await self._found(reranking_of(request), context)
        item_ids, unknown = found.reranked()
        version = found.asked.serving.model.version
        return pb.RerankItemsResponse(
            ranked_item_ids=item_ids,
            unknown=unknown,
            model_version=version,
            degraded=found.degraded,
        )

    async def SimilarItems(  # noqa: N802  # named by the proto
        self, request: pb.SimilarItemsRequest, context: Any
    ) -> pb.SimilarItemsResponse:
        target = ItemTarget(request.item_id)
        asked = RecommendationRequest(request.tenant, target, request.limit)
        return pb.SimilarItemsResponse(answer=await self._answer(asked, None, context))

    # The stubs know only the generators' way; this one reads and writes when it wants to.
    async def StreamAnswers(  # type: ignore[override]  # noqa: N802
        self, request_iterator: Any, context: Any
    ) -> None:
        del request_iterator
        answers = BatchAnswers(self._follower, self._user_lists)
        await AnswerStream(answers, self._streams, context).serve()

    async def _answer(
        self, request: RecommendationRequest, placement: ShownPlacement | None, context: Any
    ) -> pb.Answer:
        begun = time.perf_counter()
        found = await self._found(request, context)
        ranked = found.recommendations()
        answer = _to_proto(ranked, found.asked.serving.model, degraded=found.degraded)
        answer.next_page_token = found.next_page_token(ranked)
        if placement is not None:
            _write_placement(answer, placement)
        answer.took_ms = round((time.perf_counter() - begun) * 1000, 3)
        return answer

    async def _found(self, request: RecommendationRequest, context: Any) -> UserResult:
        serving = self._follower.serving(request.tenant)
        left = context.time_remaining()
        asked = Asked.of(serving, request, _UNHURRIED_SECONDS if left is None else float(left))
        if request.needs_user_lookup:
            [coming] = await self._user_lists.find([asked])
        else:
            coming = self._user_lists.of_items(asked)
        return coming if isinstance(coming, UserResult) else await coming

    async def _of_page(self, page: pb.RecommendPageRequest) -> list[WantedList]:
        """The requests of a page.

        Raises:
            InvalidInput: naming every field of every request at fault.
        """
        if not 1 <= len(page.requests) <= MAX_PAGE_PLACEMENTS:
            reason = f"name between 1 and {MAX_PAGE_PLACEMENTS} requests"
            raise InvalidInput([FieldProblem("requests", reason)])
        if page.user_id and (wrong := identifier_problem(page.user_id)):
            raise InvalidInput([FieldProblem("user_id", wrong)])
        problems, wanted, shown = list[FieldProblem](), list[WantedList](), 0
        for place, one in enumerate(page.requests):
            # Whatever it says itself.
            one.tenant = page.tenant
            try:
                wanted.append(await self._placements.read(one, page.user_id))
            except NotFound as error:
                problems.append(FieldProblem(f"requests.{place}.placement", str(error)))
            except InvalidInput as error:
                problems += (
                    FieldProblem(f"requests.{place}.{p.field}", p.reason) for p in error.problems
                )
            # Refused now, and not when the lists before it have been made.
            if crowded := page_problem(len(one.excluded_item_ids), shown):
                problems.append(FieldProblem(f"requests.{place}.exclude_item_ids", crowded))
            shown += 0 if page.repeats_allowed else one.limit
        if problems:
            raise InvalidInput(problems)
        return wanted


def _to_proto(answer: Recommendations, model: LoadedModel, *, degraded: bool) -> pb.Answer:
    items = [
        pb.ScoredItem(
            item_id=model.shown.id_of(entry.item_index),
            title=model.shown.title_of(entry.item_index),
            price=model.shown.price_of(entry.item_index),
            score=entry.score,
            source=SOURCES[entry.source],
            relaxed=answer.passing is not None and place >= answer.passing,
        )
        for place, entry in enumerate(answer.ranked)
    ]
    for item, reason in zip(items, answer.reasons, strict=False):
        _write_reason(item, reason, model)
    return pb.Answer(
        items=items,
        source=SOURCES[answer.source],
        model_version=model.version,
        degraded=degraded,
        recommendation_id=new_recommendation_id(),
        fallback_level=answer.fallback_level,
        rules=answer.rules,
        relaxed=answer.is_relaxed,
    )


def _write_placement(answer: pb.Answer, shown: ShownPlacement) -> None:
    answer.placement = shown.name
    if shown.experiment is not None:
        answer.experiment.name = shown.experiment.experiment
        answer.experiment.variant = shown.experiment.variant.name


def _write_reason(item: pb.ScoredItem, reason: Reason, model: LoadedModel) -> None:
    item.reason.code = reason.code
    for row in reason.seeds:
        item.reason.seeds.add(item_id=model.shown.id_of(row), title=model.shown.title_of(row))
    item.score_parts.update(reason.score_parts)
