"""Lists of the storefront by the names that the shop has given them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from recsys.core.serving.controls import Controls
from recsys.core.serving.request import ItemTarget, SessionTarget, Target, UserTarget
from services.gateway.dependencies import dependencies_of
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.routes.authentication import Caller, SessionUser, authenticated, other_user
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.routes.recommendations import checked, respond
from services.gateway.schemas.problems import NOT_FOUND, ProblemError
from services.gateway.schemas.recommendations import (
    PlacementRecommendations,
    PlacementRequest,
    read_placement,
)

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses={**problem_responses(), **problem_responses(NOT_FOUND)},
)

PlacementName = Annotated[
    str, Path(description="One of the shop's settings.", examples=["home"], max_length=64)
]


@router.post(
    "/v1/placements/{placement}:recommend",
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
    placements = dependencies_of(request).placements_of(key.tenant)
    if placement not in placements:
        known = ", ".join(sorted(placements)) or "none"
        detail = f"this shop has no placement {placement!r}; it has {known}"
        raise ProblemError(NOT_FOUND, detail)
    wanted = read_placement(body)
    if acting is not None and wanted.user_id not in (None, acting):
        raise other_user()
    asked = checked(
        key.tenant,
        _target(wanted),
        wanted.limit,
        placement=placements[placement],
        filter=wanted.filter or "",
        excluded_item_ids=tuple(wanted.exclude_item_ids),
        controls=Controls(explain=True) if wanted.explain else None,
    )
    return await respond(request, asked, placement)


def _target(wanted: PlacementRequest) -> Target:
    if wanted.user_id is not None:
        return UserTarget(wanted.user_id)
    if wanted.item_id is not None:
        return ItemTarget(wanted.item_id)
    return SessionTarget(tuple(wanted.session_item_ids))
