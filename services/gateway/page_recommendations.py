"""Fill the placements of a page with no item twice, for every route alike."""

import asyncio
import json
from dataclasses import replace
from json.encoder import encode_basestring

from recsys.auth.api_keys import ApiKey
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.serving.placed_request import ShownPlacement, page_problem, unknown_placement
from recsys.core.serving.request import RecommendationRequest
from services.gateway.dependencies import Dependencies
from services.gateway.placed_recommendations import request_for, shown_to
from services.gateway.recommendations import fetch_recommendations
from services.gateway.schemas.pages import PageRequest, prefixed
from services.gateway.schemas.problems import (
    TIMED_OUT,
    ProblemError,
    invalid_input,
    refuse_other_users,
)

_Filled = tuple[ShownPlacement, RecommendationRequest]


async def fetch_page(
    dependencies: Dependencies,
    key: ApiKey,
    page: PageRequest,
    acting: str | None,
    request_id: str,
) -> bytes:
    """Recommend items for each placement, in their order; return the body of the response.

    Args:
        acting: the user whom alone the caller may act for; None: any.

    Raises:
        ProblemError: naming every field of every request at fault, before anybody is asked; for
            another user than `acting`; the page took too long; or see `fetch_recommendations`.
    """
    refuse_other_users(acting, page.user_ids())
    wanted = await _requests_for(dependencies, key, page, acting)
    try:
        async with asyncio.timeout(dependencies.write_seconds):
            responses = await _fetch_in_order(dependencies, wanted, page.distinct, request_id)
    except TimeoutError:
        detail = f"the placements took more than {dependencies.write_seconds:.0f} s"
        raise ProblemError(TIMED_OUT, detail) from None
    return b'{"responses":[%b],"request_id":%b}' % (
        b",".join(responses),
        encode_basestring(request_id).encode(),
    )


async def _fetch_in_order(
    dependencies: Dependencies, wanted: list[_Filled], distinct: bool, request_id: str
) -> list[bytes]:
    shown, responses = list[str](), list[bytes]()
    for placement, request in wanted:
        request = replace(request, excluded_item_ids=(*request.excluded_item_ids, *shown))
        response = await fetch_recommendations(dependencies, request, request_id, placement)
        responses.append(response)
        if distinct:
            shown += [item["item_id"] for item in json.loads(response)["items"]]
    return responses


async def _requests_for(
    dependencies: Dependencies, key: ApiKey, page: PageRequest, acting: str | None
) -> list[_Filled]:
    """The placements of a page, and the request for each.

    Raises:
        ProblemError: naming every field of every request at fault.
    """
    tenant = key.tenant
    placements = dependencies.placements_of(tenant)
    problems, shown = list[FieldProblem](), 0
    requests = list[_Filled]()
    for place, wanted in enumerate(page.requests):
        if wanted.placement not in placements:
            reason = unknown_placement(wanted.placement, placements)
            problems += prefixed(place, [FieldProblem("placement", reason)])
            continue
        target = wanted.target() or page.target()
        try:
            visitor = wanted.visitor(target) or page.user_id or acting
            placement = shown_to(dependencies, tenant, wanted.placement, visitor)
            request = await request_for(dependencies, key, wanted, placement, target, visitor)
            requests.append((placement, request))
        except InvalidInput as error:
            problems += prefixed(place, error.problems)
        # Refused now, and not when the placements before it have been filled.
        if crowded := page_problem(len(wanted.exclude_item_ids), shown):
            problems += prefixed(place, [FieldProblem("exclude_item_ids", crowded)])
        shown += wanted.limit if page.distinct else 0
    if problems:
        raise invalid_input(problems)
    return requests
