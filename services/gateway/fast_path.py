"""The routes that storefronts call all day, answered before FastAPI sees the request.

FastAPI's routing, dependencies and validation cost several times what an answer does. Here only
what is beyond doubt is taken: a plain id, no parameter but a sane limit, events without a fault, a
key that may call. All else goes on to the application, which serves the same routes, describes
them, and says what is wrong with a request.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recsys.auth.access import ROUTE_SCOPES
from recsys.auth.api_keys import ApiKey
from recsys.auth.session_tokens import session_user
from recsys.core.limits import DEFAULT_LIMIT, MAX_LIMIT
from recsys.core.recording import EventDraft
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    Target,
    UserTarget,
)
from services.gateway.dependencies import Dependencies
from services.gateway.http.request_context import HEADER, request_id_of
from services.gateway.recommendations import fetch_recommendations
from services.gateway.recorded_events import record_events
from services.gateway.schemas.hot_events import read_good_batch
from services.gateway.schemas.problems import INTERNAL, ProblemError, problem_response

USER_ROUTE = "/v1/users/{user_id}/recommendations"
SIMILAR_ROUTE = "/v1/items/{item_id}/similar"
EVENTS_ROUTE = "/v1/events"
_EVENTS_PATH = EVENTS_ROUTE.encode()
_ROUTES: tuple[tuple[bytes, bytes, str, Any], ...] = (
    (b"/v1/users/", b"/recommendations", USER_ROUTE, UserTarget),
    (b"/v1/items/", b"/similar", SIMILAR_ROUTE, ItemTarget),
)
# Needs no decoding. An id of other characters is for the application.
_PLAIN_ID = re.compile(rb"[A-Za-z0-9_~.-]{1,256}")
_LIMIT = re.compile(rb"limit=([1-9][0-9]{0,2})")
# Some hundred events. A body that needs a while to arrive is waited for elsewhere.
_SMALL_BODY_BYTES = 64 * 1024
_PROMPT_SECONDS = 1.0
# An answer is one user's and of this moment.
UNCACHED = "private, no-store"
_UNCACHED = (b"cache-control", UNCACHED.encode())
_JSON = (b"content-type", b"application/json")
_REQUEST_ID = HEADER.lower().encode()
_SESSION_TOKEN = b"x-session-token"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that was understood, of a caller who may send it.

    Attributes:
        respond: takes the request's id and gives the body of the answer, or raises.
        headers: of the answer, beside those that every one has.
    """

    route: str
    key: ApiKey
    respond: Callable[[str], Awaitable[bytes]]
    headers: tuple[tuple[bytes, bytes], ...]


class FastPath:
    """Around the application: answers what it can, passes on the rest."""

    def __init__(self, app: ASGIApp, dependencies: Dependencies) -> None:
        self._app = app
        self._dependencies = dependencies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = None
        if scope["type"] == "http":
            # What goes wrong here goes wrong in the application too, which logs and answers it.
            with suppress(Exception):
                if scope["method"] in ("GET", "HEAD"):
                    asked = self._read_question(scope)
                elif scope["method"] == "POST" and scope.get("raw_path") == _EVENTS_PATH:
                    receive = _Receiver(receive)
                    asked = await self._read_events(scope, receive)
        if asked is None:
            await self._app(scope, receive, send)
        else:
            await self._answer(asked, scope, receive, send)

    def _read_question(self, scope: Scope) -> _Asked | None:
        """A question about recommendations; None for what is not beyond doubt."""
        found = _subject(scope.get("raw_path") or b"")
        limit = _limit(scope["query_string"])
        if found is None or limit is None:
            return None
        route, target = found
        key = self._key(scope, f"GET {route}")
        # What a public key may ask depends on more, which the application looks at.
        if key is None or key.is_public:
            return None
        request = RecommendationRequest(key.tenant, target, limit)
        recommend = partial(fetch_recommendations, self._dependencies, request)
        return _Asked(route, key, recommend, (_UNCACHED,))

    async def _read_events(self, scope: Scope, receive: "_Receiver") -> _Asked | None:
        """Events of a small batch, each plainly good; None for what is not beyond doubt."""
        key = self._key(scope, f"POST {EVENTS_ROUTE}")
        if key is None or scope["query_string"] or not _announces_small_json(scope):
            return None
        message = await receive.first()
        if message["type"] != "http.request" or message.get("more_body"):
            return None
        drafts = read_good_batch(message["body"])
        if drafts is None or not _may_act(key, scope, drafts):
            return None
        record = partial(record_events, self._dependencies, key.tenant, drafts)
        return _Asked(EVENTS_ROUTE, key, record, ())

    def _key(self, scope: Scope, route: str) -> ApiKey | None:
        """The key of a request, if it may call the route."""
        text = _header(scope, b"x-api-key")
        key = self._dependencies.keys.authenticate(text.decode("latin-1")) if text else None
        return key if key is not None and ROUTE_SCOPES[route] in key.scopes else None

    async def _answer(self, asked: _Asked, scope: Scope, receive: Receive, send: Send) -> None:
        requests = self._dependencies.metrics.requests
        begun, status = requests.begin(), 200
        request_id = request_id_of((_header(scope, _REQUEST_ID) or b"").decode("latin-1"))
        # For CORS, whose lists are the shops'.
        scope.setdefault("state", {})["key"] = asked.key
        try:
            self._dependencies.rate_limits.check(asked.key, scope)
            body = await asked.respond(request_id)
            await _send(body, request_id, asked.headers, send)
        except Exception as error:
            problem = _problem(error, asked.route, request_id)
            status = problem.kind.status
            response = problem_response(problem, scope["raw_path"].decode("latin-1"), request_id)
            response.headers[HEADER] = request_id
            await response(scope, receive, send)
        seconds = requests.end(asked.route, status, begun)
        self._dependencies.access_log.served(
            scope["method"], asked.route, asked.key, status, seconds, request_id
        )


def _problem(error: Exception, route: str, request_id: str) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    _log.error("request_failed", route=route, request_id=request_id, exc_info=error)
    return ProblemError(INTERNAL, "see the log of the gateway")


async def _send(
    body: bytes, request_id: str, more: tuple[tuple[bytes, bytes], ...], send: Send
) -> None:
    headers = [
        (b"content-length", b"%d" % len(body)),
        _JSON,
        *more,
        (_REQUEST_ID, request_id.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _announces_small_json(scope: Scope) -> bool:
    """Whether a body is said to be plain JSON, and small: then it is there, or soon will be."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    return (
        headers.get(b"content-type") == b"application/json"
        and b"content-encoding" not in headers
        and length.isdigit()
        and int(length) <= _SMALL_BODY_BYTES
    )


class _Receiver:
    """Receives messages; the first can be looked at, and is received again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._first: Message | None = None

    async def first(self) -> Message:
        """Raises TimeoutError where it takes a while; it can be received later."""
        async with asyncio.timeout(_PROMPT_SECONDS):
            self._first = await self._receive()
        return self._first

    async def __call__(self) -> Message:
        first, self._first = self._first, None
        return await self._receive() if first is None else first


def _may_act(key: ApiKey, scope: Scope, drafts: Sequence[EventDraft]) -> bool:
    """Whether a key may send events of these users: a public one those of its session's."""
    if key.session_secret is None:
        return True
    token = (_header(scope, _SESSION_TOKEN) or b"").decode("latin-1")
    user_id = session_user(key.session_secret, token, time.time())
    return user_id is not None and all(draft.user_id == user_id for draft in drafts)


def _subject(path: bytes) -> tuple[str, Target] | None:
    for prefix, suffix, route, kind in _ROUTES:
        if path.startswith(prefix) and path.endswith(suffix):
            segment = path[len(prefix) : -len(suffix)]
            if _PLAIN_ID.fullmatch(segment):
                return route, kind(segment.decode())
    return None


def _limit(query: bytes) -> int | None:
    if not query:
        return DEFAULT_LIMIT
    found = _LIMIT.fullmatch(query)
    if found is None or int(found[1]) > MAX_LIMIT:
        return None
    return int(found[1])


def _header(scope: Scope, name: bytes) -> bytes | None:
    for each, value in scope["headers"]:
        if each == name:
            return value  # type: ignore[no-any-return]  # ASGI's scope is untyped
    return None
