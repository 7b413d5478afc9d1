"""POST: events, placements, pages of placements, items to put in order, each in a small body."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from starlette.types import Message, Receive, Scope

from recsys.auth.api_keys import ApiKey
from services.gateway.dependencies import Dependencies
from services.gateway.fast_path.accepted_request import (
    UNCACHED_HEADER,
    AcceptedRequest,
    acting_user,
    allowed_key,
    header,
)
from services.gateway.http.json_body import parse_json
from services.gateway.page_recommendations import fetch_page
from services.gateway.placed_recommendations import fetch_placement
from services.gateway.recommendations import fetch_reranked
from services.gateway.recorded_events import record_events
from services.gateway.schemas.hot_events import read_good_batch
from services.gateway.schemas.pages import read_page
from services.gateway.schemas.recommendations import read_placement
from services.gateway.schemas.rerank import read_rerank

# Some hundred events. A body that needs a while to arrive is waited for elsewhere.
_SMALL_BODY_BYTES = 64 * 1024
_PROMPT_SECONDS = 1.0


class Receiver:
    """Receives messages; the first can be looked at, and whoever comes next receives it again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._first: Message | None = None

    async def __call__(self) -> Message:
        first, self._first = self._first, None
        return await self._receive() if first is None else first

    async def small_json(self, scope: Scope) -> bytes | None:
        """The body, not yet parsed; None where it is not said to be small and plain JSON.

        Raises TimeoutError where it takes a while; it can be received later.
        """
        if not _announces_small_json(scope):
            return None
        async with asyncio.timeout(_PROMPT_SECONDS):
            self._first = message = await self._receive()
        is_whole = message["type"] == "http.request" and not message.get("more_body")
        return message["body"] if is_whole else None


def _announces_small_json(scope: Scope) -> bool:
    """Whether a body is said to be plain JSON, and small: then it is there, or soon will be."""
    length = header(scope, b"content-length") or b""
    return (
        header(scope, b"content-type") == b"application/json"
        and header(scope, b"content-encoding") is None
        and length.isdigit()
        and int(length) <= _SMALL_BODY_BYTES
    )


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
