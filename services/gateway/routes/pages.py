"""Several placements of a page in one request, with no item twice."""

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.dependencies import dependencies_of
from services.gateway.fast_path.post_requests import PAGE_ROUTE
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.page_recommendations import fetch_page
from services.gateway.routes.authentication import Caller, SessionUser, authenticated
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.routes.recommendations import uncached_json
from services.gateway.schemas.pages import PageRecommendations, read_page

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses=problem_responses(),
)


@router.post(
    PAGE_ROUTE,
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
    dependencies, request_id = dependencies_of(request), request.state.request_id
    return uncached_json(await fetch_page(dependencies, key, read_page(body), acting, request_id))
