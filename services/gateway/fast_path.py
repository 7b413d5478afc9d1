"""The routes that storefronts ask all day, answered before FastAPI sees the request.

FastAPI's routing, dependencies and validation cost several times what an answer does. Here only
what is beyond doubt is taken: a plain id, no parameter but a sane limit, a key that may read. All
else goes on to the application, which serves the same routes, describes them, and says what is
wrong with a request.
"""

import re
from contextlib import suppress
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from recsys.auth.access import ROUTE_SCOPES
from recsys.auth.api_keys import ApiKey
from recsys.core.limits import DEFAULT_LIMIT, MAX_LIMIT
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    Target,
    UserTarget,
)
from services.gateway.dependencies import Dependencies
from services.gateway.http.request_context import HEADER, request_id_of
from services.gateway.recommendations import fetch_recommendations
from services.gateway.schemas.problems import INTERNAL, ProblemError, problem_response

USER_ROUTE = "/v1/users/{user_id}/recommendations"
SIMILAR_ROUTE = "/v1/items/{item_id}/similar"
_ROUTES: tuple[tuple[bytes, bytes, str, Any], ...] = (
    (b"/v1/users/", b"/recommendations", USER_ROUTE, UserTarget),
    (b"/v1/items/", b"/similar", SIMILAR_ROUTE, ItemTarget),
)
# Needs no decoding. An id of other characters is for the application.
_PLAIN_ID = re.compile(rb"[A-Za-z0-9_~.-]{1,256}")
_LIMIT = re.compile(rb"limit=([1-9][0-9]{0,2})")
# An answer is one user's and of this moment.
UNCACHED = "private, no-store"
_UNCACHED = (b"cache-control", UNCACHED.encode())
_JSON = (b"content-type", b"application/json")
_REQUEST_ID = HEADER.lower().encode()

_log = structlog.get_logger()


class FastPath:
    """Around the application: answers what it can, passes on the rest."""

    def __init__(self, app: ASGIApp, dependencies: Dependencies) -> None:
        self._app = app
        self._dependencies = dependencies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            asked = None
            # What goes wrong here goes wrong in the application too, which logs and answers it.
            with suppress(Exception):
                asked = self._understood(scope)
            if asked is not None:
                await self._answer(*asked, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _understood(self, scope: Scope) -> tuple[str, ApiKey, Target, int] | None:
        """Route, key, question and limit; None for what is not beyond doubt."""
        found = _subject(scope.get("raw_path") or b"")
        limit = _limit(scope["query_string"])
        if found is None or limit is None:
            return None
        text = _header(scope, b"x-api-key")
        key = self._dependencies.keys.authenticate(text.decode("latin-1")) if text else None
        # What a public key may ask depends on more, which the application looks at.
        if key is None or key.is_public or ROUTE_SCOPES[f"GET {found[0]}"] not in key.scopes:
            return None
        return found[0], key, found[1], limit

    async def _answer(
        self,
        route: str,
        key: ApiKey,
        about: Target,
        limit: int,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        requests = self._dependencies.metrics.requests
        begun, status = requests.begin(), 200
        request_id = request_id_of((_header(scope, _REQUEST_ID) or b"").decode("latin-1"))
        # For CORS, whose lists are the shops'.
        scope.setdefault("state", {})["key"] = key
        try:
            self._dependencies.rate_limits.check(key, scope)
            body = await fetch_recommendations(
                self._dependencies, RecommendationRequest(key.tenant, about, limit), request_id
            )
            await _send(body, request_id, send)
        except Exception as error:
            problem = _problem(error, route, request_id)
            status = problem.kind.status
            response = problem_response(problem, scope["path"], request_id)
            response.headers[HEADER] = request_id
            await response(scope, receive, send)
        seconds = requests.end(route, status, begun)
        self._dependencies.access_log.served(
            scope["method"], route, key, status, seconds, request_id
        )


def _problem(error: Exception, route: str, request_id: str) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    _log.error("request_failed", route=route, request_id=request_id, exc_info=error)
    return ProblemError(INTERNAL, "see the log of the gateway")


async def _send(body: bytes, request_id: str, send: Send) -> None:
    headers = [
        (b"content-length", b"%d" % len(body)),
        _JSON,
        _UNCACHED,
        (_REQUEST_ID, request_id.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


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
