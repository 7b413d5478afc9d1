"""Recommendations for a user or a session, and items similar to an item.

Most requests never come here, see `fast_path`; what does gets the same answer, or is told what is
wrong with it.
"""

from fastapi import APIRouter, Depends, Request, Response

from recsys.core.limits import DEFAULT_LIMIT
from recsys.core.serving.request import ItemTarget, SessionTarget, Target, UserTarget
from services.gateway.dependencies import dependencies_of
from services.gateway.fast_path import SIMILAR_ROUTE, UNCACHED, USER_ROUTE
from services.gateway.http.query import Limit, SessionItems, only_parameters
from services.gateway.http.raw_path import ItemId, UserId
from services.gateway.recommendations import fetch_recommendations
from services.gateway.routes.authentication import Reader, reader_key
from services.gateway.routes.openapi import problem_responses
from services.gateway.schemas.recommendations import (
    SessionRecommendations,
    SimilarItems,
    UserRecommendations,
)

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(reader_key)],
    responses=problem_responses(),
)
_ONLY_A_LIMIT = [Depends(only_parameters("limit"))]


@router.get(
    USER_ROUTE,
    summary="Recommend items to a user",
    response_model=UserRecommendations,
    dependencies=_ONLY_A_LIMIT,
)
async def recommend(
    user_id: UserId, key: Reader, request: Request, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Recommend items to a user, by behaviour up to this moment.

    Popular items fill a list that is too short and are the response for an unknown user; `source`
    says so, and it is never an error. Items that the user bought or disliked (event types that
    exclude) do not come back: when nothing else is left, there are fewer than `limit` items.

    Before the shop's first model: items that are popular in events as they arrive, then the
    catalogue in the order of its ids, with `degraded` true and `model_version` null.
    """
    return await _answer(request, key.tenant, UserTarget(user_id), limit)


@router.get(
    "/v1/recommendations",
    summary="Recommend items in a session",
    response_model=SessionRecommendations,
    dependencies=[Depends(only_parameters("limit", repeatable=("item_id",)))],
)
async def recommend_for_session(
    item_ids: SessionItems, key: Reader, request: Request, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Recommend items in a session without a user, from the items viewed; none of them comes back.

    Popular items fill a list that is too short and are the response when the model knows none of
    the items viewed; `source` says so. When nothing else is left, there are fewer than `limit`
    items.
    """
    return await _answer(request, key.tenant, SessionTarget(tuple(item_ids)), limit)


@router.get(
    SIMILAR_ROUTE,
    summary="Find similar items",
    response_model=SimilarItems,
    dependencies=_ONLY_A_LIMIT,
)
async def similar(
    item_id: ItemId, key: Reader, request: Request, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Find items that the same users bought or viewed, never the item itself.

    Popular items fill a list that is too short and are the response for an unknown item; `source`
    says so.
    """
    return await _answer(request, key.tenant, ItemTarget(item_id), limit)


async def _answer(request: Request, tenant: str, about: Target, limit: int) -> Response:
    body = await fetch_recommendations(
        dependencies_of(request), tenant, about, limit, request.state.request_id
    )
    return Response(body, headers={"Cache-Control": UNCACHED}, media_type="application/json")
