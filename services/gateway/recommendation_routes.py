"""Recommendations for a shopper, and items alike to an item."""

from fastapi import APIRouter, Depends, Request, Response

from recsys.rpc.v1 import recommender_pb2
from services.gateway import recommendation_answers
from services.gateway.authentication import Reader, reader_key
from services.gateway.calls import ReadCall
from services.gateway.openapi import problem_responses
from services.gateway.parts import parts_of
from services.gateway.query import Limit, only_parameters
from services.gateway.raw_path import ItemId, UserId
from services.gateway.recommendation_answers import SimilarItems, UserRecommendations

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(reader_key), Depends(only_parameters("limit"))],
    responses=problem_responses(),
)

DEFAULT_LIMIT = 20
# An answer is one shopper's and of this moment.
_UNCACHED = "private, no-store"


@router.get("/v1/users/{user_id}/recommendations", summary="Recommend items to a shopper")
async def recommend(
    user_id: UserId,
    key: Reader,
    call: ReadCall,
    request: Request,
    response: Response,
    limit: Limit = DEFAULT_LIMIT,
) -> UserRecommendations:
    """Items this shopper may like, newest behaviour included.

    A shopper nobody knows yet gets what is popular, with `source` saying so; never an error.
    """
    question = recommender_pb2.RecommendForUserRequest(
        tenant=key.tenant, user_id=user_id, limit=limit
    )
    answer = await parts_of(request).recommender.recommend(question, call)
    response.headers["Cache-Control"] = _UNCACHED
    return recommendation_answers.for_user(user_id, answer, call.request_id)


@router.get("/v1/items/{item_id}/similar", summary="Find items alike to an item")
async def similar(
    item_id: ItemId,
    key: Reader,
    call: ReadCall,
    request: Request,
    response: Response,
    limit: Limit = DEFAULT_LIMIT,
) -> SimilarItems:
    """Items bought or looked at by the same shoppers. For an unknown item, what is popular."""
    question = recommender_pb2.SimilarItemsRequest(tenant=key.tenant, item_id=item_id, limit=limit)
    answer = await parts_of(request).recommender.similar(question, call)
    response.headers["Cache-Control"] = _UNCACHED
    return recommendation_answers.for_item(item_id, answer, call.request_id)
