"""gRPC statuses as problems: the one table."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import grpc

from recsys.runtime.grpc.errors import (
    is_quota_exceeded,
    problems_of,
    retry_after_seconds_of,
    trailing_metadata,
)
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
_NO_METADATA: Mapping[str, str] = MappingProxyType({})

_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


def problem_of(error: grpc.aio.AioRpcError, backend: str) -> ProblemError:
    """Translate a failed call to a problem for the REST caller."""
    details, metadata = error.details() or "", trailing_metadata(error)
    return problem_of_status(error.code().value[0], details, backend, metadata)


def problem_of_status(
    number: int, details: str, backend: str, metadata: Mapping[str, str] = _NO_METADATA
) -> ProblemError:
    """The same of one question, or batch, among those of a call."""
    code = _BY_NUMBER.get(number, grpc.StatusCode.UNKNOWN)
    if code is grpc.StatusCode.INVALID_ARGUMENT and (problems := problems_of(metadata)):
        return invalid_input(problems)
    if is_quota_exceeded(metadata):
        return ProblemError(QUOTA_EXCEEDED, details or QUOTA_EXCEEDED.title)
    seconds = retry_after_seconds_of(metadata) or _DEFAULT_RETRY_SECONDS
    return _problem(code, details, backend, seconds)


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
