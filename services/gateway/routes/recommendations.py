"""Recommendations for a user or a session, and items similar to an item.

Most requests never come here, see `fast_path`; what does gets the same answer, or is told what is
wrong with it.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from recsys.core.errors import FieldProblem
from recsys.core.limits import DEFAULT_LIMIT
from recsys.core.serving.bound_filters import names_user
from recsys.core.serving.controls import Controls
from recsys.core.serving.placed_request import USER_VALUES_NEED_PLACEMENT
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    SessionTarget,
    Target,
    UserTarget,
)
from services.gateway.dependencies import dependencies_of
from services.gateway.fast_path.get_requests import SIMILAR_ROUTE, USER_ROUTE
from services.gateway.http.query import (
    ExcludedItems,
    Explain,
    FilterText,
    Limit,
    SessionItems,
    only_parameters,
)
from services.gateway.http.raw_path import ItemId, UserId
from services.gateway.recommendations import UNCACHED, checked, fetch_recommendations
from services.gateway.routes.authentication import Caller, authenticated
from services.gateway.routes.openapi import problem_responses
from services.gateway.schemas.problems import invalid_input
from services.gateway.schemas.recommendations import (
    SessionRecommendations,
    SimilarItems,
    UserRecommendations,
)

router = APIRouter(
    tags=["recommendations"],
    dependencies=[Depends(authenticated)],
    responses=problem_responses(),
)
_PARAMETERS = [
    Depends(only_parameters("limit", "filter", "explain", repeatable=("exclude_item_id",)))
]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Parameters of every route here."""

    limit: int
    filter: str
    excluded_item_ids: tuple[str, ...]
    explain: bool

    def of(self, tenant: str, target: Target) -> RecommendationRequest:
        """The request for a target.

        Raises:
            ProblemError: naming every parameter at fault.
        """
        if names_user(self.filter):
            raise invalid_input([FieldProblem("filter", USER_VALUES_NEED_PLACEMENT)])
        return checked(
            tenant,
            target,
            self.limit,
            filter=self.filter,
            excluded_item_ids=self.excluded_item_ids,
            controls=Controls(explain=True) if self.explain else None,
        )


def _wishes(
    limit: Limit = DEFAULT_LIMIT,
    filter_text: FilterText = None,
    excluded: ExcludedItems = [],  # noqa: B006  # FastAPI's way; never changed
    explain: Explain = "false",
) -> Wishes:
    return Wishes(limit, filter_text or "", tuple(excluded), explain == "true")


Wished = Annotated[Wishes, Depends(_wishes)]


@router.get(
    USER_ROUTE,
    summary="Recommend items to a user",
    response_model=UserRecommendations,
    dependencies=_PARAMETERS,
)
async def recommend(user_id: UserId, key: Caller, wishes: Wished, request: Request) -> Response:
    """Recommend items to a user, by behaviour up to this moment.

    Popular items fill a list that is too short and are the response for an unknown user; `source`
    says so, and it is never an error. Items that the user bought or disliked (event types that
    exclude) do not come back: when nothing else is left, there are fewer than `limit` items.

    Before the shop's first model: items that are popular in events as they arrive, then the
    catalogue in the order of its ids, with `degraded` true and `model_version` null.
    """
    return await _respond(request, wishes.of(key.tenant, UserTarget(user_id)))


@router.get(
    "/v1/recommendations",
    summary="Recommend items in a session",
    response_model=SessionRecommendations,
    dependencies=[
        Depends(
            only_parameters("limit", "filter", "explain", repeatable=("item_id", "exclude_item_id"))
        )
    ],
)
async def recommend_for_session(
    item_ids: SessionItems, key: Caller, wishes: Wished, request: Request
) -> Response:
    """Recommend items in a session without a user, from the items viewed; none of them comes back.

    Popular items fill a list that is too short and are the response when the model knows none of
    the items viewed; `source` says so. When nothing else is left, there are fewer than `limit`
    items.
    """
    return await _respond(request, wishes.of(key.tenant, SessionTarget(tuple(item_ids))))


@router.get(
    SIMILAR_ROUTE,
    summary="Find similar items",
    response_model=SimilarItems,
    dependencies=_PARAMETERS,
)
async def similar(item_id: ItemId, key: Caller, wishes: Wished, request: Request) -> Response:
    """Find items that the same users bought or viewed, never the item itself.

    Popular items fill a list that is too short and are the response for an unknown item; `source`
    says so.
    """
    return await _respond(request, wishes.of(key.tenant, ItemTarget(item_id)))


async def _respond(request: Request, wanted: RecommendationRequest) -> Response:
    """Respond with what is recommended."""
    dependencies, request_id = dependencies_of(request), request.state.request_id
    return uncached_json(await fetch_recommendations(dependencies, wanted, request_id))


def uncached_json(body: bytes) -> Response:
    return Response(body, headers={"Cache-Control": UNCACHED}, media_type="application/json")
