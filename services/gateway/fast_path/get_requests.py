"""GET: recommendations for a user, items similar to an item."""

import re
from functools import partial
from typing import Any

from starlette.types import Scope

from recsys.core.limits import DEFAULT_LIMIT, MAX_LIMIT
from recsys.core.serving.request import ItemTarget, RecommendationRequest, Target, UserTarget
from services.gateway.dependencies import Dependencies
from services.gateway.fast_path.accepted_request import (
    UNCACHED_HEADER,
    AcceptedRequest,
    allowed_key,
)
from services.gateway.recommendations import fetch_recommendations

USER_ROUTE = "/v1/users/{user_id}/recommendations"
SIMILAR_ROUTE = "/v1/items/{item_id}/similar"
_ROUTES: tuple[tuple[bytes, bytes, str, Any], ...] = (
    (b"/v1/users/", b"/recommendations", USER_ROUTE, UserTarget),
    (b"/v1/items/", b"/similar", SIMILAR_ROUTE, ItemTarget),
)
# Needs no decoding. An id of other characters is for the application.
_PLAIN_ID = re.compile(rb"[A-Za-z0-9_~.-]{1,256}")
_LIMIT = re.compile(rb"limit=([1-9][0-9]{0,2})")


def read_get(dependencies: Dependencies, scope: Scope) -> AcceptedRequest | None:
    """Accept a request for recommendations; None for what is not beyond doubt."""
    found = _subject(scope.get("raw_path") or b"")
    limit = _limit(scope["query_string"])
    if found is None or limit is None:
        return None
    route, target = found
    key = allowed_key(dependencies, scope, f"GET {route}")
    # What a public key may ask depends on more, which the application looks at.
    if key is None or key.is_public:
        return None
    request = RecommendationRequest(key.tenant, target, limit)
    recommend = partial(fetch_recommendations, dependencies, request)
    return AcceptedRequest(route, key, recommend, (UNCACHED_HEADER,))


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
