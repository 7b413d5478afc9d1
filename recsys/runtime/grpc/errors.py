"""Our errors as gRPC statuses: the one table, and what travels beside the status.

The fields at fault travel as JSON in trailing metadata: google.rpc.BadRequest would need a further
dependency on both sides.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import grpc

from recsys.core.errors import (
    ConfigurationError,
    FieldProblem,
    InvalidInput,
    InvalidMessage,
    NoModel,
    NotFound,
    NotSetUp,
    PermissionDenied,
    PreconditionFailed,
    QuotaExceeded,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from recsys.core.limits import MAX_FIELD_CHARACTERS

PROBLEMS_KEY = "recsys-problems"
# Tells a full quota from too many calls at once, which have the same status.
QUOTA_KEY = "recsys-quota"
RETRY_AFTER_KEY = "retry-after-ms"
# gRPC refuses more than about 8 KiB of metadata.
_MAX_PROBLEMS_BYTES = 6000
# A status text travels beside them, and three bytes for each that is no plain ASCII.
_MAX_DETAILS_BYTES = 500

# Looked up along the class tree: a new error has the status of what it is a kind of.
_CODES: dict[type[Exception], grpc.StatusCode] = {
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidMessage: grpc.StatusCode.INVALID_ARGUMENT,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    NotFound: grpc.StatusCode.NOT_FOUND,
    # A test-and-set that failed: whoever asked reads again and begins anew.
    PreconditionFailed: grpc.StatusCode.ABORTED,
    TooManyRequests: grpc.StatusCode.RESOURCE_EXHAUSTED,
    QuotaExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    # The shop is new: nothing is broken, and trying again does not help.
    NoModel: grpc.StatusCode.FAILED_PRECONDITION,
    # The caller cannot mend it and neither can a retry. Only what NotSetUp says is for callers.
    ConfigurationError: grpc.StatusCode.FAILED_PRECONDITION,
    # What we did not foresee, and errors of jobs and operators: callers have no part in them.
    Exception: grpc.StatusCode.INTERNAL,
}
_TOLD_TO_CALLERS = (
    InvalidInput, InvalidMessage, Unauthenticated, PermissionDenied, NotFound, PreconditionFailed,
    TooManyRequests, QuotaExceeded, NoModel, NotSetUp, Unavailable,
)  # fmt: skip

Metadata = tuple[tuple[str, str], ...]


def status_of(error: Exception) -> tuple[grpc.StatusCode, str, Metadata]:
    """The status, its text and trailing metadata; nothing of an unforeseen error leaks."""
    code = next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
    return code, _details(error) or "the service failed; its log says why", _metadata(error)


def _details(error: Exception) -> str:
    if not isinstance(error, _TOLD_TO_CALLERS):
        return ""
    text = str(error)
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        # The words of a library, with its classes and our addresses, are for our logs.
        text = f"{error.dependency} is unavailable"
    return text.encode(errors="replace")[:_MAX_DETAILS_BYTES].decode(errors="ignore")


def _metadata(error: Exception) -> Metadata:
    if isinstance(error, InvalidInput):
        return ((PROBLEMS_KEY, encode_problems(error.problems)),)
    if isinstance(error, QuotaExceeded):
        return ((QUOTA_KEY, "exceeded"),)
    if isinstance(error, Unavailable | TooManyRequests):
        return ((RETRY_AFTER_KEY, str(round(error.retry_after_seconds * 1000))),)
    return ()


def encode_problems(problems: Iterable[FieldProblem]) -> str:
    """As many problems as fit, as ASCII JSON."""
    encoded: list[str] = []
    size = 0
    for problem in problems:
        entry = json.dumps([problem.field[:MAX_FIELD_CHARACTERS], problem.reason])
        size += len(entry) + 1
        if size > _MAX_PROBLEMS_BYTES:
            break
        encoded.append(entry)
    return f"[{','.join(encoded)}]"


def problems_of(metadata: Mapping[str, str]) -> list[FieldProblem]:
    """The fields at fault, on the caller's side."""
    text = metadata.get(PROBLEMS_KEY)
    return [FieldProblem(*entry) for entry in json.loads(text)] if text else []


def is_quota_exceeded(metadata: Mapping[str, str]) -> bool:
    """Tell whether waiting does not help, on the caller's side."""
    return QUOTA_KEY in metadata


def retry_after_seconds_of(metadata: Mapping[str, str]) -> float | None:
    """When the callee says trying again makes sense, or None when it does not say."""
    text = metadata.get(RETRY_AFTER_KEY)
    return int(text) / 1000 if text else None


def trailing_metadata(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """What came with the status of a failed call."""
    # A grpc.aio.Metadata, whatever the stubs say; None when the call never left this process.
    metadata: Any = error.trailing_metadata()
    return {key: value for key, value in metadata or () if isinstance(value, str)}
