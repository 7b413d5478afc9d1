"""Cross-origin requests of browsers, allowed by the lists of the shops (Fetch standard, CORS).

A preflight names no key, so that of an origin which any shop lists is answered; the answer to the
request itself is for the origins of its key's own shop. Around everything, the fast path included.
"""

from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.http.request_context import HEADER, request_id_of

# What pages need: the routes of public keys, and no others.
_METHODS = ("GET", "HEAD", "POST")
_REQUEST_HEADERS = ("X-API-Key", "X-Session-Token", HEADER)
_RESPONSE_HEADERS = (HEADER, "Retry-After", "RateLimit", "RateLimit-Policy")


class Cors(CORSMiddleware):
    """Around the application.

    Args:
        allowed_origins_of: the origins of a shop; of all for None.
    """

    def __init__(
        self, app: ASGIApp, allowed_origins_of: Callable[[str | None], Collection[str]]
    ) -> None:
        super().__init__(
            app,
            allow_methods=_METHODS,
            allow_headers=_REQUEST_HEADERS,
            expose_headers=_RESPONSE_HEADERS,
        )
        self._allowed_origins_of = allowed_origins_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (origin := _origin(scope)):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if is_preflight and self.is_allowed_origin(origin):
            response = self.preflight_response(headers)
            response.headers[HEADER] = request_id_of(headers.get(HEADER, ""))
            await response(scope, receive, send)
            return
        await self._answer(origin, scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        return origin in self._allowed_origins_of(None)

    async def _answer(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        # Where who answers leaves the key that it found.
        state = scope.setdefault("state", {})

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                key = state.get("key")
                headers = MutableHeaders(scope=message)
                # A page may read why its key was refused.
                if origin in self._allowed_origins_of(key and key.tenant):
                    headers.update(self.simple_headers)
                    headers["Access-Control-Allow-Origin"] = origin
                headers.add_vary_header("Origin")
            await send(message)

        await self.app(scope, receive, send_allowed)


def _origin(scope: Scope) -> str | None:
    """Without an object for the headers: servers of shops send none, all day."""
    for name, value in scope["headers"]:
        if name == b"origin":
            return str(value, "latin-1")
    return None
