"""Lists of the storefront by the names that the shop has given them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.event_types import unremembered
from recsys.core.serving.controls import Boost, Controls
from recsys.core.serving.experiments import assignment
from recsys.core.serving.filters import within_categories
from recsys.core.serving.placement import Placement
from recsys.core.serving.request import RecommendationRequest, SessionTarget, Target
from services.gateway.dependencies import Dependencies, dependencies_of
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.recommendations import ShownPlacement
from services.gateway.routes.authentication import Caller, SessionUser, authenticated, other_user
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.routes.recommendations import respond
from services.gateway.schemas.problems import NOT_FOUND, ProblemError, invalid_input
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

# Those that a request may set, instead of the placement's settings.
_OWN_CONTROLS = (
    *("diversity", "max_per_category", "max_per_brand", "strict"),
    "exclude_seen_days",
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
    dependencies = dependencies_of(request)
    placements = dependencies.placements_of(key.tenant)
    if placement not in placements:
        raise ProblemError(NOT_FOUND, unknown_placement(placement, placements))
    wanted = read_placement(body)
    if acting is not None and any(user_id != acting for user_id in wanted.user_ids()):
        raise other_user()
    target = wanted.target()
    shown = shown_placement(dependencies, key.tenant, placement, wanted.visitor(target) or acting)
    try:
        asked = request_for(dependencies, key.tenant, wanted, shown.settings, target)
    except InvalidInput as error:
        raise invalid_input(error.problems) from None
    return await respond(request, asked, shown)


def shown_placement(
    dependencies: Dependencies, tenant: str, name: str, visitor: str | None
) -> ShownPlacement:
    """A placement of the shop, in the variant that this shopper sees.

    Args:
        visitor: None where it is not known who looks: then it is as without experiments.
    """
    own = dependencies.placements_of(tenant)[name]
    if visitor is None:
        return ShownPlacement(name, own)
    found = assignment(dependencies.experiments_of(tenant), tenant, name, visitor)
    settings = own if found is None else found.variant.placements.get(name, own)
    return ShownPlacement(name, settings, found)


def unknown_placement(name: str, placements: Collection[str]) -> str:
    """Say that a shop has no placement of this name, and which ones it has."""
    known = ", ".join(sorted(placements)) or "none"
    return f"this shop has no placement {name!r}; it has {known}"


def request_for(
    dependencies: Dependencies,
    tenant: str,
    wanted: PlacementRequest,
    placement: Placement,
    target: Target | None,
) -> RecommendationRequest:
    """The request for a placement.

    Args:
        target: None where it does not matter who looks.

    Raises:
        InvalidInput: naming every field at fault.
    """
    types = dependencies.event_types_of(tenant)
    if reason := unremembered(wanted.exclude_event_types or (), types):
        raise InvalidInput([FieldProblem("exclude_event_types", reason)])
    return RecommendationRequest(
        tenant,
        target or SessionTarget(()),
        wanted.limit,
        placement=placement.generators,
        filter=within_categories(wanted.filter or "", wanted.category),
        excluded_item_ids=tuple(wanted.exclude_item_ids),
        page_token=wanted.page_token or "",
        controls=_controls(wanted, placement.controls_at(dependencies.now_ms())),
    )


def _controls(wanted: PlacementRequest, settings: Controls) -> Controls:
    """The placement's own controls, where the request says nothing else."""
    named = {name: getattr(wanted, name) for name in _OWN_CONTROLS}
    own = {name: value for name, value in named.items() if value is not None}
    if wanted.exclude_event_types is not None:
        own["exclude_event_types"] = tuple(wanted.exclude_event_types)
    boosts = tuple(Boost(each.filter, each.weight) for each in wanted.boosts)
    return replace(settings, explain=wanted.explain, boosts=settings.boosts + boosts, **own)
