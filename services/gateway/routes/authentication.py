"""Authentication by API key: the caller's shop and scopes."""

import time
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from recsys.auth.access import PUBLIC_ROUTES, ROUTE_SCOPES
from recsys.auth.api_keys import ApiKey, Scope
from recsys.auth.session_tokens import session_user
from recsys.core.wording import pluralize
from services.gateway.dependencies import dependencies_of
from services.gateway.http.raw_path import decode_id
from services.gateway.http.request_context import route_template
from services.gateway.schemas.problems import (
    MISSING_SCOPE,
    TOO_MANY_WRONG_KEYS,
    WRONG_KEY,
    WRONG_SESSION,
    ProblemError,
    other_user,
)

HEADER = "X-API-Key"
SESSION_HEADER = "X-Session-Token"
_NOT_VALID = (
    "not valid, get a new one from the shop's server: it is over, or no HS256 token signed with "
    "this key's session secret, its sub the user's id, its exp a time in seconds within 24 hours"
)
_API_KEY = APIKeyHeader(
    name=HEADER,
    scheme_name="ApiKey",
    description="Made by `recsys keys create`. It says which shop the request is for.",
    auto_error=False,
)


async def authenticated(
    request: Request, text: Annotated[str | None, Security(_API_KEY)]
) -> ApiKey:
    """The key of a request, which has the scope that its route needs.

    Raises:
        ProblemError: without a key that is valid, or with one that lacks the scope.
    """
    dependencies = dependencies_of(request)
    key = dependencies.keys.authenticate(text) if text else None
    if key is None:
        raise _without_key(request, "wrong" if text else "missing")
    # For the log, of what is refused too.
    request.state.key = key
    dependencies.rate_limits.check(key, request.scope)
    route = f"{request.method} {route_template(request.scope)}"
    scope = ROUTE_SCOPES[route]
    if scope not in key.scopes or (key.is_public and route not in PUBLIC_ROUTES):
        dependencies.metrics.auth_failures["scope"].inc()
        raise ProblemError(MISSING_SCOPE, _what_is_missing(scope, key))
    request.state.session_user = _session_user(request, key)
    return key


def _what_is_missing(scope: Scope, key: ApiKey) -> str:
    if scope in key.scopes:
        return "this needs a server's key, and this one is public"
    return f"this key lacks the scope {scope.value!r}"


def _session_user(request: Request, key: ApiKey) -> str | None:
    """The user of a public key's session token; None: the key is a server's.

    Raises:
        ProblemError: the token is missing, not valid, or of another user than the path is about.
    """
    if key.session_secret is None:
        return None
    token = request.headers.get(SESSION_HEADER, "")
    user_id = session_user(key.session_secret, token, time.time())
    if user_id is None:
        fault = _NOT_VALID if token else "missing"
        raise ProblemError(WRONG_SESSION, f"the header {SESSION_HEADER} is {fault}")
    about = request.path_params.get("user_id")
    # What is no id is told by the route.
    with suppress(ValueError):
        if about is not None and decode_id(about) != user_id:
            raise other_user()
    return user_id


def _without_key(request: Request, fault: str) -> ProblemError:
    dependencies = dependencies_of(request)
    dependencies.metrics.auth_failures[fault].inc()
    if fault == "wrong" and (seconds := dependencies.failed_keys.note(request)):
        detail = (
            f"send the right key, or wait {pluralize(seconds, 'second')} before the next wrong one"
        )
        return ProblemError(TOO_MANY_WRONG_KEYS, detail, headers={"Retry-After": str(seconds)})
    challenge = {"WWW-Authenticate": f'ApiKey header="{HEADER}"'}
    return ProblemError(WRONG_KEY, f"the header {HEADER} is {fault}", headers=challenge)


# A router names it first among its dependencies, too: a stranger learns nothing else. FastAPI
# runs it once a request, however often it is named.
Caller = Annotated[ApiKey, Depends(authenticated)]


async def _user_of_session(request: Request) -> str | None:
    user_id: str | None = request.state.session_user
    return user_id


# The user whom alone a caller may act for; None: for any. For routes with users in their bodies.
SessionUser = Annotated[str | None, Depends(_user_of_session)]
