"""Errors as RFC 9457 problem details: the one table of what can go wrong, and how it is said."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from recsys.core.errors import FieldProblem
from recsys.core.limits import MAX_FIELD_CHARACTERS, MAX_PROBLEMS

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem. `uri` leads to its description on this very server."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        return f"/problems/{self.name}"


BAD_REQUEST = ProblemType("bad-request", 400, "The request is not valid HTTP")
MALFORMED_JSON = ProblemType("malformed-json", 400, "The body is not valid JSON")
WRONG_KEY = ProblemType("wrong-key", 401, "The API key is missing or wrong")
WRONG_SESSION = ProblemType("wrong-session", 401, "The session token is missing or not valid")
MISSING_SCOPE = ProblemType("missing-scope", 403, "The API key does not allow this")
OTHER_USER = ProblemType("other-user", 403, "The session is that of another user")
QUOTA_EXCEEDED = ProblemType("quota-exceeded", 403, "The shop has as much as it may have")
NOT_FOUND = ProblemType("not-found", 404, "Not found")
WRONG_METHOD = ProblemType("wrong-method", 405, "This route does not support this method")
NOT_SET_UP = ProblemType("not-set-up", 409, "The operator has not set up this shop yet")
BODY_TOO_SLOW = ProblemType("body-too-slow", 408, "The body did not arrive in time")
BODY_TOO_LARGE = ProblemType("body-too-large", 413, "The body is too large")
# Of the load balancer only.
URI_TOO_LONG = ProblemType("uri-too-long", 414, "The URL is too long")
HEADERS_TOO_LARGE = ProblemType("headers-too-large", 431, "The headers are too large")
WRONG_MEDIA_TYPE = ProblemType("wrong-media-type", 415, "The body must be plain JSON in UTF-8")
PRECONDITION_FAILED = ProblemType(
    "precondition-failed", 412, "The resource is not as If-Match or If-None-Match says"
)
INVALID_INPUT = ProblemType("invalid-input", 422, "The input is invalid")
TOO_MANY_WRONG_KEYS = ProblemType(
    "too-many-wrong-keys", 429, "Too many wrong API keys came from this address"
)
TOO_MANY_REQUESTS = ProblemType("too-many-requests", 429, "The rate limit is exceeded")
INTERNAL = ProblemType("internal", 500, "The gateway failed")
BACKEND_FAILED = ProblemType("backend-failed", 502, "A service behind the gateway failed")
UNAVAILABLE = ProblemType("unavailable", 503, "A service is unavailable")
NO_MODEL = ProblemType("no-model", 503, "The shop has no model yet")
OVERLOADED = ProblemType("overloaded", 503, "Too many requests are in progress")
TIMED_OUT = ProblemType("timed-out", 504, "A service did not respond in time")

PROBLEM_TYPES = (
    BAD_REQUEST,
    MALFORMED_JSON,
    WRONG_KEY,
    WRONG_SESSION,
    MISSING_SCOPE,
    OTHER_USER,
    QUOTA_EXCEEDED,
    NOT_FOUND,
    WRONG_METHOD,
    NOT_SET_UP,
    BODY_TOO_SLOW,
    PRECONDITION_FAILED,
    BODY_TOO_LARGE,
    URI_TOO_LONG,
    HEADERS_TOO_LARGE,
    WRONG_MEDIA_TYPE,
    INVALID_INPUT,
    TOO_MANY_WRONG_KEYS,
    TOO_MANY_REQUESTS,
    INTERNAL,
    BACKEND_FAILED,
    UNAVAILABLE,
    NO_MODEL,
    OVERLOADED,
    TIMED_OUT,
)


@dataclass
class ProblemError(Exception):
    """Ends a request with a problem.

    Attributes:
        detail: what happened this time, for a person.
        problems: the fields at fault.
        headers: to be sent along, e.g. Retry-After.
        members: further members of the document.
    """

    kind: ProblemType
    detail: str
    problems: Iterable[FieldProblem] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)


def invalid_input(problems: Iterable[FieldProblem]) -> ProblemError:
    """The problem of fields at fault; its detail reads like a sentence."""
    listed = list(problems)
    named = ", ".join(dict.fromkeys(problem.field for problem in listed[:MAX_PROBLEMS]))
    return ProblemError(INVALID_INPUT, f"see the problems of: {named[:200]}", listed)


def other_user() -> ProblemError:
    return ProblemError(OTHER_USER, "a session token is for one user, and this is another")


def refuse_other_users(acting: str | None, user_ids: Iterable[str | None]) -> None:
    """Refuse a request for anybody but the user whom alone the caller may act for.

    Args:
        acting: None: the caller may act for any.
        user_ids: whom the request is for; None: nobody.

    Raises:
        ProblemError: it is for another one, too.
    """
    if acting is not None and any(user_id not in (None, acting) for user_id in user_ids):
        raise other_user()


def problem_response(error: ProblemError, instance: str, request_id: str) -> Response:
    document = {
        "type": error.kind.uri,
        "title": error.kind.title,
        "status": error.kind.status,
        "detail": error.detail,
        "instance": instance,
        "request_id": request_id,
        **error.members,
    }
    if problems := described(error.problems):
        document["problems"] = problems
    return Response(
        # As ASCII: field names come from callers and may hold what UTF-8 cannot encode.
        json.dumps(document),
        error.kind.status,
        {"Cache-Control": "no-store", **error.headers},
        MEDIA_TYPE,
    )


def described(problems: Iterable[FieldProblem]) -> list[dict[str, str]]:
    """Problems as JSON; a thousand of them help nobody."""
    return [
        {"field": problem.field[:MAX_FIELD_CHARACTERS], "reason": problem.reason}
        for problem in list(problems)[:MAX_PROBLEMS]
    ]
