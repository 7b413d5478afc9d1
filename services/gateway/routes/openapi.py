"""The description of the API: examples of every answer, every problem included."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from recsys.auth.access import PUBLIC_ROUTES, ROUTE_SCOPES
from recsys.core.limits import MAX_LIMIT, MAX_PROBLEMS
from services.gateway.schemas import problems
from services.gateway.schemas.event_requests import EVENT_EXAMPLE, EventBatch
from services.gateway.schemas.field_rules import REQUEST_ID_RULES
from services.gateway.schemas.item_batches import ITEM_BATCH_EXAMPLE, ItemBatch
from services.gateway.schemas.items import ITEM_EXAMPLE, ItemChanges, ItemFields
from services.gateway.schemas.pages import PAGE_EXAMPLE, PageRequest
from services.gateway.schemas.problems import MEDIA_TYPE, ProblemType
from services.gateway.schemas.recommendations import PLACEMENT_EXAMPLE, PlacementRequest
from services.gateway.schemas.rerank import RERANK_EXAMPLE, RerankRequest
from services.gateway.schemas.users import (
    ATTRIBUTES_EXAMPLE,
    CHANGES_EXAMPLE,
    MERGE_EXAMPLE,
    UserChanges,
    UserFields,
    UserMerge,
)

_REF = "#/components/schemas/{model}"
_REQUESTS = (
    *(EventBatch, ItemFields, ItemChanges, ItemBatch, UserMerge, UserFields, UserChanges),
    *(PlacementRequest, PageRequest, RerankRequest),
)
_REQUEST_EXAMPLES = {
    "EventBatch": {"events": [EVENT_EXAMPLE]},
    "ItemFields": ITEM_EXAMPLE,
    "ItemChanges": {"price": 1.95},
    "ItemBatch": ITEM_BATCH_EXAMPLE,
    "UserMerge": MERGE_EXAMPLE,
    "UserFields": ATTRIBUTES_EXAMPLE,
    "UserChanges": CHANGES_EXAMPLE,
    "PlacementRequest": PLACEMENT_EXAMPLE,
    "PageRequest": PAGE_EXAMPLE,
    "RerankRequest": RERANK_EXAMPLE,
}

_TEXT = {"type": "string"}
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {**_TEXT, "format": "uri-reference", "description": "Which kind of problem."},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {**_TEXT, "description": "What happened this time."},
        "instance": {**_TEXT, "format": "uri-reference"},
        "request_id": {
            **_TEXT,
            **REQUEST_ID_RULES,
            "description": "Name it when you ask for help.",
        },
        "problems": {
            "type": "array",
            "description": "The fields at fault.",
            "maxItems": MAX_PROBLEMS,
            "items": {"$ref": _REF.format(model="Problem")},
        },
    },
}

_SESSION_TOKEN = {
    "type": "apiKey",
    "in": "header",
    "name": "X-Session-Token",
    "description": "Beside a public key: a JSON Web Token (HS256) of the shop's server that names "
    "the one user (`sub`) whom the page acts for, and ends (`exp`) within 24 hours.",
}

# What any route may answer that needs a key and asks a service behind.
_COMMON = (
    problems.WRONG_KEY,
    problems.WRONG_SESSION,
    problems.MISSING_SCOPE,
    problems.OTHER_USER,
    problems.NOT_SET_UP,
    problems.INVALID_INPUT,
    problems.TOO_MANY_WRONG_KEYS,
    problems.TOO_MANY_REQUESTS,
    problems.INTERNAL,
    problems.BACKEND_FAILED,
    problems.UNAVAILABLE,
    problems.TIMED_OUT,
)
_OF_BODIES = (
    problems.MALFORMED_JSON,
    problems.BODY_TOO_SLOW,
    problems.BODY_TOO_LARGE,
    problems.WRONG_MEDIA_TYPE,
)

Responses = dict[int | str, dict[str, Any]]


def problem_responses(*kinds: ProblemType) -> Responses:
    """The problems a route may answer; without arguments those all routes share."""
    return {kind.status: _response(kind) for kind in kinds or _COMMON}


def body_responses() -> Responses:
    """The problems of routes that take a body."""
    return problem_responses(*_OF_BODIES)


def with_etag(what: str) -> Responses:
    """The answers of a route that reads something with an ETag."""
    headers = {
        "ETag": {
            "description": f"Tells this state of the {what} from all others.",
            "schema": {"type": "string"},
        }
    }
    not_modified = {"description": "The caller has this state already", "headers": headers}
    return {200: {"headers": headers}, 304: not_modified}


def json_request(model: str) -> dict[str, Any]:
    """A body that the route reads by itself; `model` is one of those registered below."""
    content = {"schema": {"$ref": _REF.format(model=model)}, "example": _REQUEST_EXAMPLES[model]}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def described_by(
    app: FastAPI, event_types: Callable[[], Sequence[str]]
) -> Callable[[], dict[str, Any]]:
    """Build the replacement of `app.openapi`: the description, made once for these event types."""
    described: tuple[Sequence[str], dict[str, Any]] | None = None

    def openapi() -> dict[str, Any]:
        nonlocal described
        types = event_types()
        if described is None or described[0] != types:
            described = types, describe(app, types)
        return described[1]

    return openapi


def describe(app: FastAPI, event_types: Sequence[str]) -> dict[str, Any]:
    """Make the OpenAPI document of the routes of `app`, for shops with these event types."""
    document = get_openapi(
        title="Recommender",
        version=version("recsys"),
        summary="Recommendations from behaviour up to this moment.",
        description="Every response carries `X-Request-ID`; every error is a problem (RFC 9457).",
        routes=app.routes,
    )
    _, bodies = models_json_schema(
        [(request, "validation") for request in _REQUESTS], ref_template=_REF
    )
    schemas = document["components"]["schemas"]
    schemas.update({**bodies["$defs"], "ProblemDetails": PROBLEM_SCHEMA})
    document["components"]["securitySchemes"]["SessionToken"] = _SESSION_TOKEN
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "security" in operation:
                operation["security"] = _security(f"{method.upper()} {path}")
    schemas["Event"]["properties"]["event_type"]["enum"] = list(event_types)
    return document


def _security(route: str) -> list[dict[str, list[str]]]:
    """A server's key, or a public one with a session; OpenAPI 3.1 has a place for scopes."""
    scopes = [ROUTE_SCOPES[route].value]
    public = {"ApiKey": scopes, "SessionToken": []}
    return [{"ApiKey": scopes}, *([public] if route in PUBLIC_ROUTES else [])]


def _response(kind: ProblemType) -> dict[str, Any]:
    example = {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
        "detail": "what happened this time",
        "instance": "/v1/users/17850/recommendations",
        "request_id": "9f86d081884c7d659a2feaa0c55ad015",
    }
    if kind is problems.INVALID_INPUT:
        reason = {"field": "limit", "reason": f"should be less than or equal to {MAX_LIMIT}"}
        example |= {"detail": "see the problems of: limit", "problems": [reason]}
    schema = {"$ref": _REF.format(model="ProblemDetails")}
    return {
        "description": kind.title,
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }
