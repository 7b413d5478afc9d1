"""gRPC statuses as problems: the one table."""

import math

import grpc

from recsys.runtime.grpc_errors import problems_of, retry_after_seconds_of
from services.gateway.problems import (
    BACKEND_FAILED,
    INVALID_INPUT,
    NOT_FOUND,
    TIMED_OUT,
    UNAVAILABLE,
    ProblemError,
    ProblemType,
    invalid_input,
)

_KINDS: dict[grpc.StatusCode, ProblemType] = {
    grpc.StatusCode.INVALID_ARGUMENT: INVALID_INPUT,
    grpc.StatusCode.NOT_FOUND: NOT_FOUND,
    grpc.StatusCode.DEADLINE_EXCEEDED: TIMED_OUT,
    grpc.StatusCode.UNAVAILABLE: UNAVAILABLE,
    # Too many calls at once.
    grpc.StatusCode.RESOURCE_EXHAUSTED: UNAVAILABLE,
    # A replica that was stopped before it could finish.
    grpc.StatusCode.CANCELLED: UNAVAILABLE,
    # Not set up yet, e.g. the shop has no tables; the service's log says what to do.
    grpc.StatusCode.FAILED_PRECONDITION: UNAVAILABLE,
}
_DEFAULT_RETRY_SECONDS = 1.0


def problem_of(error: grpc.aio.AioRpcError, backend: str) -> ProblemError:
    kind = _KINDS.get(error.code(), BACKEND_FAILED)
    if kind is INVALID_INPUT and (problems := problems_of(error)):
        return invalid_input(problems)
    if kind in (INVALID_INPUT, NOT_FOUND):
        return ProblemError(kind, error.details() or kind.title)
    if kind is UNAVAILABLE:
        seconds = retry_after_seconds_of(error) or _DEFAULT_RETRY_SECONDS
        retry_after = {"Retry-After": str(max(1, math.ceil(seconds)))}
        return ProblemError(kind, f"{backend} cannot answer now", headers=retry_after)
    return ProblemError(
        kind, f"{backend} did not answer" if kind is TIMED_OUT else f"{backend} failed"
    )
