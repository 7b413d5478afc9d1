"""A request that the fast path accepts, and who sends it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Scope

from recsys.auth.access import ROUTE_SCOPES
from recsys.auth.api_keys import ApiKey
from recsys.auth.session_tokens import session_user
from services.gateway.dependencies import Dependencies
from services.gateway.recommendations import UNCACHED

UNCACHED_HEADER = (b"cache-control", UNCACHED.encode())
_SESSION_TOKEN = b"x-session-token"


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A request that was understood, of a caller who may send it.

    Attributes:
        respond: takes the request's id and gives the body of the answer, or raises.
        headers: of the answer, beside those that every one has.
    """

    route: str
    key: ApiKey
    respond: Callable[[str], Awaitable[bytes]]
    headers: tuple[tuple[bytes, bytes], ...] = ()


def allowed_key(dependencies: Dependencies, scope: Scope, route: str) -> ApiKey | None:
    """The key of a request, if it may call the route."""
    text = header(scope, b"x-api-key")
    key = dependencies.keys.authenticate(text.decode("latin-1")) if text else None
    return key if key is not None and ROUTE_SCOPES[route] in key.scopes else None


def acting_user(key: ApiKey, scope: Scope) -> str | None:
    """The user whom alone a caller may act for; None: any.

    Raises:
        ValueError: the key is public, and there is no session that is valid.
    """
    if key.session_secret is None:
        return None
    token = (header(scope, _SESSION_TOKEN) or b"").decode("latin-1")
    user_id = session_user(key.session_secret, token, time.time())
    if user_id is None:
        raise ValueError("no valid session")
    return user_id


def header(scope: Scope, name: bytes) -> bytes | None:
    for each, value in scope["headers"]:
        if each == name:
            return value  # type: ignore[no-any-return]  # ASGI's scope is untyped
    return None
