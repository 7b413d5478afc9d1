"""POST: events, placements, pages of placements, items to put in order."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from starlette.types import Scope

from recsys.auth.api_keys import ApiKey
from services.gateway.dependencies import Dependencies
from services.gateway.fast_path.accepted_request import (
    UNCACHED_HEADER,
    AcceptedRequest,
    acting_user,
    allowed_key,
)
from services.gateway.fast_path.small_body import Receiver
from services.gateway.http.json_body import parse_json
from services.gateway.page_recommendations import fetch_page
from services.gateway.placed_recommendations import fetch_placement
from services.gateway.recorded_events import record_events
from services.gateway.reranked_items import fetch_reranked
from services.gateway.schemas.hot_events import read_good_batch
from services.gateway.schemas.pages import read_page
from services.gateway.schemas.recommendations import read_placement
from services.gateway.schemas.rerank import read_rerank

EVENTS_ROUTE = "/v1/events"
PAGE_ROUTE = "/v1/placements:recommend"
PLACEMENT_ROUTE = "/v1/placements/{placement}:recommend"
RERANK_ROUTE = "/v1/items:rerank"
_BY_PATH = {route.encode(): route for route in (EVENTS_ROUTE, PAGE_ROUTE, RERANK_ROUTE)}
_BEFORE_PLACEMENT, _AFTER_PLACEMENT = b"/v1/placements/", b":recommend"

_Respond = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class _ReadRequest:
    """A request with a small body of well-formed JSON.

    Attributes:
        acting: the user whom alone the caller may act for; None: any.
        document: the parsed body.
    """

    path: bytes
    key: ApiKey
    acting: str | None
    body: bytes
    document: object


async def read_post(
    dependencies: Dependencies, scope: Scope, receive: Receiver
) -> AcceptedRequest | None:
    """Accept a small body without a fault; None for what is not beyond doubt.

    Raises whatever says so, too: the application raises it again.
    """
    path = scope.get("raw_path") or b""
    route = _route_of(path)
    if route is None or scope["query_string"]:
        return None
    key = allowed_key(dependencies, scope, f"POST {route}")
    if key is None:
        return None
    acting, body = acting_user(key, scope), await receive.small_json(scope)
    if body is None:
        return None
    # Also for events, of which the faster reader keeps the last of two equal names without a word.
    request = _ReadRequest(path, key, acting, body, parse_json(body))
    respond = _ACCEPT[route](dependencies, request)
    if respond is None:
        return None
    headers = () if route == EVENTS_ROUTE else (UNCACHED_HEADER,)
    return AcceptedRequest(route, key, respond, headers)


def _route_of(path: bytes) -> str | None:
    if path.startswith(_BEFORE_PLACEMENT) and path.endswith(_AFTER_PLACEMENT):
        return PLACEMENT_ROUTE
    return _BY_PATH.get(path)


def _accept_events(dependencies: Dependencies, request: _ReadRequest) -> _Respond | None:
    drafts = read_good_batch(request.body)
    # Of another user's events each is refused by itself.
    if drafts is None or not all(request.acting in (None, draft.user_id) for draft in drafts):
        return None
    return partial(record_events, dependencies, request.key.tenant, drafts)


def _accept_placement(dependencies: Dependencies, request: _ReadRequest) -> _Respond | None:
    name = request.path[len(_BEFORE_PLACEMENT) : -len(_AFTER_PLACEMENT)].decode("latin-1")
    if name not in dependencies.placements_of(request.key.tenant):
        return None
    wanted = read_placement(request.document)
    return partial(fetch_placement, dependencies, request.key, name, wanted, request.acting)


def _accept_page(dependencies: Dependencies, request: _ReadRequest) -> _Respond:
    page = read_page(request.document)
    return partial(fetch_page, dependencies, request.key, page, request.acting)


def _accept_rerank(dependencies: Dependencies, request: _ReadRequest) -> _Respond:
    wanted = read_rerank(request.document)
    return partial(fetch_reranked, dependencies, request.key.tenant, wanted, request.acting)


_ACCEPT: Mapping[str, Callable[[Dependencies, _ReadRequest], _Respond | None]] = {
    EVENTS_ROUTE: _accept_events,
    PAGE_ROUTE: _accept_page,
    PLACEMENT_ROUTE: _accept_placement,
    RERANK_ROUTE: _accept_rerank,
}
