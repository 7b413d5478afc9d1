"""POST: events, and placements."""

from functools import partial

from starlette.types import Scope

from services.gateway.dependencies import Dependencies
from services.gateway.fast_path.accepted_request import (
    UNCACHED_HEADER,
    AcceptedRequest,
    acting_user,
    allowed_key,
)
from services.gateway.fast_path.small_body import Receiver
from services.gateway.http.json_body import parse_json
from services.gateway.placed_recommendations import fetch_placement
from services.gateway.recorded_events import record_events
from services.gateway.schemas.hot_events import read_good_batch
from services.gateway.schemas.recommendations import read_placement

EVENTS_ROUTE = "/v1/events"
PLACEMENT_ROUTE = "/v1/placements/{placement}:recommend"
_EVENTS_PATH = EVENTS_ROUTE.encode()
_BEFORE_PLACEMENT, _AFTER_PLACEMENT = b"/v1/placements/", b":recommend"


async def read_post(
    dependencies: Dependencies, scope: Scope, receive: Receiver
) -> AcceptedRequest | None:
    """Accept a small body without a fault; None for what is not beyond doubt.

    Raises whatever says so, too: the application raises it again.
    """
    path = scope.get("raw_path") or b""
    if scope["query_string"]:
        return None
    if path == _EVENTS_PATH:
        return await _read_events(dependencies, scope, receive)
    if path.startswith(_BEFORE_PLACEMENT) and path.endswith(_AFTER_PLACEMENT):
        name = path[len(_BEFORE_PLACEMENT) : -len(_AFTER_PLACEMENT)].decode("latin-1")
        return await _read_placement(dependencies, scope, receive, name)
    return None


async def _read_events(
    dependencies: Dependencies, scope: Scope, receive: Receiver
) -> AcceptedRequest | None:
    key = allowed_key(dependencies, scope, f"POST {EVENTS_ROUTE}")
    if key is None:
        return None
    acting, body = acting_user(key, scope), await receive.small_json(scope)
    drafts = None if body is None else read_good_batch(body)
    # Of another user's events each is refused by itself.
    if drafts is None or not all(acting in (None, draft.user_id) for draft in drafts):
        return None
    record = partial(record_events, dependencies, key.tenant, drafts)
    return AcceptedRequest(EVENTS_ROUTE, key, record)


async def _read_placement(
    dependencies: Dependencies, scope: Scope, receive: Receiver, name: str
) -> AcceptedRequest | None:
    key = allowed_key(dependencies, scope, f"POST {PLACEMENT_ROUTE}")
    if key is None or name not in dependencies.placements_of(key.tenant):
        return None
    acting, body = acting_user(key, scope), await receive.small_json(scope)
    if body is None:
        return None
    wanted = read_placement(parse_json(body))
    fetch = partial(fetch_placement, dependencies, key, name, wanted, acting)
    return AcceptedRequest(PLACEMENT_ROUTE, key, fetch, (UNCACHED_HEADER,))
