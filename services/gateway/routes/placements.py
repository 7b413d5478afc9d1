"""Lists of the storefront by the names that the shop has given them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from recsys.core.serving.placed_request import unknown_placement
from services.gateway.dependencies import dependencies_of
from services.gateway.fast_path.post_requests import PLACEMENT_ROUTE
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.placed_recommendations import fetch_placement
from services.gateway.routes.authentication import Caller, SessionUser, authenticated
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.routes.recommendations import uncached_json
from services.gateway.schemas.problems import NOT_FOUND, ProblemError
from services.gateway.schemas.recommendations import PlacementRecommendations, read_placement

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses={**problem_responses(), **problem_responses(NOT_FOUND)},
)

PlacementName = Annotated[
    str, Path(description="One of the shop's settings.", examples=["home"], max_length=64)
]


@router.post(
    PLACEMENT_ROUTE,
    summary="Fill a placement",
    response_model=PlacementRecommendations,
    responses=body_responses(),
    openapi_extra=json_request("PlacementRequest"),
)
async def recommend_for_placement(
    placement: PlacementName, key: Caller, acting: SessionUser, body: JsonBody, request: Request
) -> Response:
    """Recommend items for a place of the storefront.

    The shop's settings name the generators of each placement; items come from them in their order,
    and each says from which. Only items that the filter lets pass are recommended, scored for this
    user, however few there are.
    """
    dependencies = dependencies_of(request)
    placements = dependencies.placements_of(key.tenant)
    if placement not in placements:
        raise ProblemError(NOT_FOUND, unknown_placement(placement, placements))
    wanted, request_id = read_placement(body), request.state.request_id
    return uncached_json(
        await fetch_placement(dependencies, key, placement, wanted, acting, request_id)
    )
