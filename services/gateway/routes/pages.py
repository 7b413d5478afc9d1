"""Several placements of a page in one request, with no item twice."""

import asyncio
import json
from dataclasses import replace
from json.encoder import encode_basestring

from fastapi import APIRouter, Depends, Request, Response

from recsys.auth.api_keys import ApiKey
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.limits import MAX_EXCLUDED_ITEMS
from recsys.core.serving.placed_request import ShownPlacement, unknown_placement
from recsys.core.serving.request import RecommendationRequest
from services.gateway.dependencies import Dependencies, dependencies_of
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.placed_recommendations import request_for, shown_to
from services.gateway.recommendations import fetch_recommendations
from services.gateway.routes.authentication import Caller, SessionUser, authenticated
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.routes.recommendations import uncached_json
from services.gateway.schemas.pages import (
    PageRecommendations,
    PageRequest,
    prefixed,
    read_page,
)
from services.gateway.schemas.problems import TIMED_OUT, ProblemError, invalid_input, other_user

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses=problem_responses(),
)


@router.post(
    "/v1/placements:recommend",
    summary="Fill the placements of a page",
    response_model=PageRecommendations,
    responses=body_responses(),
    openapi_extra=json_request("PageRequest"),
)
async def recommend_for_page(
    key: Caller, acting: SessionUser, body: JsonBody, request: Request
) -> Response:
    """Recommend items for up to ten placements, with no item twice unless `distinct` is false.

    Each is filled as by its own route, in the order of the requests: what one shows, the later ones
    leave out and go on with the next best. A request with a fault fails the whole, and its problems
    name the place; nothing is asked before all requests are right.
    """
    dependencies = dependencies_of(request)
    page = read_page(body)
    if acting is not None and any(user_id != acting for user_id in page.user_ids()):
        raise other_user()
    asked = await _asked(dependencies, key, page, acting)
    request_id = request.state.request_id
    shown, responses = list[str](), list[bytes]()
    try:
        async with asyncio.timeout(dependencies.write_seconds):
            for placement, one in asked:
                excluded = (*one.excluded_item_ids, *shown)
                one = replace(one, excluded_item_ids=excluded)
                response = await fetch_recommendations(dependencies, one, request_id, placement)
                responses.append(response)
                if page.distinct:
                    shown += [item["item_id"] for item in json.loads(response)["items"]]
    except TimeoutError:
        detail = f"the placements took more than {dependencies.write_seconds:.0f} s"
        raise ProblemError(TIMED_OUT, detail) from None
    whole = b'{"responses":[%b],"request_id":%b}' % (
        b",".join(responses),
        encode_basestring(request_id).encode(),
    )
    return uncached_json(whole)


async def _asked(
    dependencies: Dependencies, key: ApiKey, page: PageRequest, acting: str | None
) -> list[tuple[ShownPlacement, RecommendationRequest]]:
    """The placements of a page, and the request for each.

    Args:
        acting: the user of the session, if a session asks.

    Raises:
        ProblemError: naming every field of every request at fault.
    """
    tenant = key.tenant
    placements = dependencies.placements_of(tenant)
    problems, shown = list[FieldProblem](), 0
    asked = list[tuple[ShownPlacement, RecommendationRequest]]()
    for place, wanted in enumerate(page.requests):
        if wanted.placement not in placements:
            reason = unknown_placement(wanted.placement, placements)
            problems += prefixed(place, [FieldProblem("placement", reason)])
            continue
        target = wanted.target() or page.target()
        try:
            visitor = wanted.visitor(target) or acting
            placement = shown_to(dependencies, tenant, wanted.placement, visitor)
            one = await request_for(dependencies, key, wanted, placement, target, visitor)
            asked.append((placement, one))
        except InvalidInput as error:
            problems += prefixed(place, error.problems)
        # Refused now, and not when the placements before it have been filled.
        if page.distinct and len(wanted.exclude_item_ids) + shown > MAX_EXCLUDED_ITEMS:
            reason = f"with {shown} items of the placements before: at most {MAX_EXCLUDED_ITEMS}"
            problems += prefixed(place, [FieldProblem("exclude_item_ids", reason)])
        shown += wanted.limit
    if problems:
        raise invalid_input(problems)
    return asked
