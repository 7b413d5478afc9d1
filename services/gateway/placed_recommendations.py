"""Fill a placement as settings, variant and request say together, for every route alike."""

from recsys.auth.api_keys import ApiKey
from recsys.core.errors import FieldProblem, InvalidInput, Unavailable
from recsys.core.serving.controls import Boost, Pin
from recsys.core.serving.filters import within_categories
from recsys.core.serving.placed_request import (
    OWN_CONTROLS,
    PlacementWishes,
    ShownPlacement,
    for_shopper,
    placed_request,
    shown_placement,
)
from recsys.core.serving.request import RecommendationRequest, Target
from services.gateway.dependencies import Dependencies
from services.gateway.recommendations import fetch_recommendations
from services.gateway.schemas.problems import (
    UNAVAILABLE,
    ProblemError,
    invalid_input,
    refuse_other_users,
)
from services.gateway.schemas.recommendations import PlacementRequest

_NOT_FOR_PUBLIC_KEYS = "user.NAME is not for public keys"


async def fetch_placement(
    dependencies: Dependencies,
    key: ApiKey,
    name: str,
    wanted: PlacementRequest,
    acting: str | None,
    request_id: str,
) -> bytes:
    """Recommend items for a placement; return the body of the response.

    Args:
        name: of one of the shop's placements.
        acting: the user whom alone the caller may act for; None: any.

    Raises:
        ProblemError: naming every field at fault; for another user than `acting`; or see
            `request_for` and `fetch_recommendations`.
    """
    refuse_other_users(acting, wanted.user_ids())
    target = wanted.target()
    visitor = wanted.visitor(target) or acting
    shown = shown_to(dependencies, key.tenant, name, visitor)
    try:
        request = await request_for(dependencies, key, wanted, shown, target, visitor)
    except InvalidInput as error:
        raise invalid_input(error.problems) from None
    return await fetch_recommendations(dependencies, request, request_id, shown)


def shown_to(
    dependencies: Dependencies, tenant: str, name: str, visitor: str | None
) -> ShownPlacement:
    """A placement of the shop, in the variant that this shopper sees."""
    placements, experiments = dependencies.placements_of, dependencies.experiments_of
    return shown_placement(name, placements(tenant), experiments(tenant), tenant, visitor)


async def request_for(
    dependencies: Dependencies,
    key: ApiKey,
    wanted: PlacementRequest,
    shown: ShownPlacement,
    target: Target | None,
    visitor: str | None,
) -> RecommendationRequest:
    """The request for a placement, see `placed_request`.

    Raises:
        InvalidInput: naming every field at fault.
        ProblemError: a filter depends on what is said of the user, and that cannot be read.
    """
    tenant, wishes = key.tenant, _wishes(wanted)
    if key.is_public and (fields := wishes.fields_about_user):
        # A page that may compare with an attribute can find out what it is.
        raise InvalidInput([FieldProblem(each, _NOT_FOR_PUBLIC_KEYS) for each in fields])
    now_ms, attributes_of = dependencies.now_ms(), dependencies.user_attributes.of
    try:
        shown, wishes = await for_shopper(shown, wishes, tenant, visitor, now_ms, attributes_of)
    except Unavailable as error:
        raise ProblemError(UNAVAILABLE, str(error), headers={"Retry-After": "1"}) from None
    return placed_request(
        tenant,
        target,
        visitor,
        wishes,
        shown,
        dependencies.event_types_of(tenant),
        dependencies.windows_of(tenant),
        now_ms,
    )


def _wishes(wanted: PlacementRequest) -> PlacementWishes:
    named = {name: getattr(wanted, name) for name in OWN_CONTROLS}
    own = {name: value for name, value in named.items() if value is not None}
    if wanted.exclude_event_types is not None:
        own["exclude_event_types"] = tuple(wanted.exclude_event_types)
    return PlacementWishes(
        wanted.limit,
        filter=within_categories(wanted.filter or "", wanted.category),
        excluded_item_ids=tuple(wanted.exclude_item_ids),
        page_token=wanted.page_token or "",
        explain=wanted.explain,
        controls=own,
        boosts=tuple(Boost(each.filter, each.weight) for each in wanted.boosts),
        pins=tuple(Pin(each.item_id, each.position) for each in wanted.pins),
    )
