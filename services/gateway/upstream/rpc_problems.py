"""gRPC statuses as problems: the one table."""

import math

import grpc

from recsys.runtime.grpc.errors import is_quota_exceeded, problems_of, retry_after_seconds_of
from services.gateway.schemas.problems import (
    BACKEND_FAILED,
    INVALID_INPUT,
    NOT_FOUND,
    NOT_SET_UP,
    PRECONDITION_FAILED,
    QUOTA_EXCEEDED,
    TIMED_OUT,
    UNAVAILABLE,
    ProblemError,
    ProblemType,
    invalid_input,
)

_KINDS: dict[grpc.StatusCode, ProblemType] = {
    grpc.StatusCode.INVALID_ARGUMENT: INVALID_INPUT,
    grpc.StatusCode.NOT_FOUND: NOT_FOUND,
    grpc.StatusCode.ABORTED: PRECONDITION_FAILED,
    grpc.StatusCode.DEADLINE_EXCEEDED: TIMED_OUT,
    grpc.StatusCode.UNAVAILABLE: UNAVAILABLE,
    # Too many calls at once.
    grpc.StatusCode.RESOURCE_EXHAUSTED: UNAVAILABLE,
    # A replica that was stopped before it could finish.
    grpc.StatusCode.CANCELLED: UNAVAILABLE,
    # Such as a shop without tables. A 4xx: whoever repeats what got a 503 would do so for ever.
    grpc.StatusCode.FAILED_PRECONDITION: NOT_SET_UP,
}
_DEFAULT_RETRY_SECONDS = 1.0


_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


def problem_of(error: grpc.aio.AioRpcError, backend: str) -> ProblemError:
    """Translate a failed call to a problem for the REST caller."""
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT and (problems := problems_of(error)):
        return invalid_input(problems)
    if is_quota_exceeded(error):
        return ProblemError(QUOTA_EXCEEDED, error.details() or QUOTA_EXCEEDED.title)
    seconds = retry_after_seconds_of(error) or _DEFAULT_RETRY_SECONDS
    return _problem(error.code(), error.details() or "", backend, seconds)


def problem_of_status(code: int, details: str, backend: str) -> ProblemError:
    """The same of a question that failed within a stream."""
    status = _BY_NUMBER.get(code, grpc.StatusCode.UNKNOWN)
    return _problem(status, details, backend, _DEFAULT_RETRY_SECONDS)


def _problem(
    code: grpc.StatusCode, details: str, backend: str, retry_seconds: float
) -> ProblemError:
    kind = _KINDS.get(code, BACKEND_FAILED)
    if kind in (INVALID_INPUT, NOT_FOUND, NOT_SET_UP, PRECONDITION_FAILED):
        return ProblemError(kind, details or kind.title)
    if kind is UNAVAILABLE:
        retry_after = {"Retry-After": str(max(1, math.ceil(retry_seconds)))}
        return ProblemError(kind, f"{backend} is unavailable", headers=retry_after)
    return ProblemError(
        kind, f"{backend} did not respond in time" if kind is TIMED_OUT else f"{backend} failed"
    )
