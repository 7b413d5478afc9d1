"""Given items in a user's order."""

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.dependencies import dependencies_of
from services.gateway.fast_path.post_requests import RERANK_ROUTE
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.recommendations import fetch_reranked
from services.gateway.routes.authentication import Caller, SessionUser, authenticated
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.routes.recommendations import uncached_json
from services.gateway.schemas.rerank import RerankedItems, read_rerank

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses=problem_responses(),
)


@router.post(
    RERANK_ROUTE,
    summary="Put items in a user's order",
    response_model=RerankedItems,
    responses=body_responses(),
    openapi_extra=json_request("RerankRequest"),
)
async def rerank(key: Caller, acting: SessionUser, body: JsonBody, request: Request) -> Response:
    """Put up to 500 items, such as the results of a search, in the order of a user's scores.

    None is left out: neither what the user has bought nor what is sold out.
    """
    wanted, request_id = read_rerank(body), request.state.request_id
    return uncached_json(
        await fetch_reranked(dependencies_of(request), key.tenant, wanted, acting, request_id)
    )
