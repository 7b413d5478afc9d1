"""Authentication by API key: the caller's shop and scopes."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from recsys.auth.access import ROUTE_SCOPES
from recsys.auth.api_keys import ApiKey
from services.gateway.dependencies import dependencies_of
from services.gateway.http.request_context import route_template
from services.gateway.schemas.problems import (
    MISSING_SCOPE,
    TOO_MANY_WRONG_KEYS,
    WRONG_KEY,
    ProblemError,
)

HEADER = "X-API-Key"
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
    scope = ROUTE_SCOPES[f"{request.method} {route_template(request.scope)}"]
    if scope not in key.scopes:
        dependencies.metrics.auth_failures["scope"].inc()
        raise ProblemError(MISSING_SCOPE, f"this key lacks the scope {scope.value!r}")
    return key


def _without_key(request: Request, fault: str) -> ProblemError:
    dependencies = dependencies_of(request)
    dependencies.metrics.auth_failures[fault].inc()
    if fault == "wrong" and (seconds := dependencies.failed_keys.note(request)):
        detail = f"send the right key, or wait {seconds} seconds before the next wrong one"
        return ProblemError(TOO_MANY_WRONG_KEYS, detail, headers={"Retry-After": str(seconds)})
    challenge = {"WWW-Authenticate": f'ApiKey header="{HEADER}"'}
    return ProblemError(WRONG_KEY, f"the header {HEADER} is {fault}", headers=challenge)


# A router names it first among its dependencies, too: a stranger learns nothing else. FastAPI
# runs it once a request, however often it is named.
Caller = Annotated[ApiKey, Depends(authenticated)]
