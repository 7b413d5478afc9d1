"""Who is calling, for which shop, and what they may do."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from recsys.runtime.api_keys import ApiKey, Scope
from services.gateway.parts import parts_of
from services.gateway.problems import MISSING_SCOPE, WRONG_KEY, ProblemError

HEADER = "X-API-Key"
_API_KEY = APIKeyHeader(
    name=HEADER,
    scheme_name="ApiKey",
    description="Made by `recsys keys create`. It says which shop the request is for.",
    auto_error=False,
)


def _require(scope: Scope) -> Callable[..., Awaitable[ApiKey]]:
    async def authenticate(
        request: Request, text: Annotated[str | None, Security(_API_KEY)]
    ) -> ApiKey:
        key = parts_of(request).keys.authenticate(text) if text else None
        if key is None:
            detail = f"the header {HEADER} is {'wrong' if text else 'missing'}"
            challenge = {"WWW-Authenticate": f'ApiKey header="{HEADER}"'}
            raise ProblemError(WRONG_KEY, detail, headers=challenge)
        if scope not in key.scopes:
            raise ProblemError(MISSING_SCOPE, f"this key lacks the scope {scope.value!r}")
        return key

    return authenticate


# Named once: FastAPI runs a dependency once a request, however often a route names it.
reader_key = _require(Scope.READ)
ingester_key = _require(Scope.INGEST)

Reader = Annotated[ApiKey, Depends(reader_key)]
Ingester = Annotated[ApiKey, Depends(ingester_key)]
