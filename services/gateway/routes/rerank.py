"""Given items in a user's order."""

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.routes.authentication import Caller, SessionUser, authenticated
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.routes.recommendations import checked, respond
from services.gateway.schemas.problems import other_user
from services.gateway.schemas.rerank import RerankedItems, read_rerank

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses=problem_responses(),
)


@router.post(
    "/v1/items:rerank",
    summary="Put items in a user's order",
    response_model=RerankedItems,
    responses=body_responses(),
    openapi_extra=json_request("RerankRequest"),
)
async def rerank(key: Caller, acting: SessionUser, body: JsonBody, request: Request) -> Response:
    """Put up to 500 items, such as the results of a search, in the order of a user's scores.

    None is left out: neither what the user has bought nor what is sold out.
    """
    wanted = read_rerank(body)
    if acting is not None and wanted.user_id not in (None, acting):
        raise other_user()
    asked = checked(key.tenant, wanted.target(), 1, reranked_item_ids=tuple(wanted.item_ids))
    return await respond(request, asked)
