"""Our errors as gRPC statuses and those as problems: a new error needs no line in either table."""

from collections.abc import Iterator

import grpc
import pytest

from recsys.core.errors import (
    ConfigurationError,
    FieldProblem,
    InvalidInput,
    InvalidMessage,
    NoModel,
    NotFound,
    PreconditionFailed,
    QuotaExceeded,
    RecsysError,
    TooManyRequests,
    Unavailable,
)
from recsys.runtime.grpc.errors import status_of
from services.gateway.upstream.rpc_problems import problem_of, problem_of_status

HTTP_STATUSES: dict[type[RecsysError], int] = {
    InvalidInput: 422,
    InvalidMessage: 422,
    NotFound: 404,
    PreconditionFailed: 412,
    # Of a stream; elsewhere what is sent beside the status tells them from an outage.
    TooManyRequests: 503,
    QuotaExceeded: 503,
    Unavailable: 503,
    NoModel: 409,
    ConfigurationError: 409,
}


def all_kinds(kind: type[RecsysError] = RecsysError) -> Iterator[type[RecsysError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from all_kinds(below)


KINDS = [kind for kind in all_kinds() if kind.__module__ == RecsysError.__module__]


def an_error(kind: type[RecsysError]) -> RecsysError:
    """Make one without its arguments: those differ from kind to kind."""
    error = kind.__new__(kind)
    vars(error).update(
        problems=(FieldProblem("field", "reason"),), dependency="redis", retry_after_seconds=1.0
    )
    return error


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_status_and_an_http_status(kind: type[RecsysError]) -> None:
    code, text, _ = status_of(an_error(kind))
    expected = next((HTTP_STATUSES[each] for each in kind.__mro__ if each in HTTP_STATUSES), 502)
    assert code is not grpc.StatusCode.UNKNOWN
    assert problem_of_status(code.value[0], text, "ingest").kind.status == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_kind_of_an_error_is_answered_like_it(kind: type[RecsysError]) -> None:
    new = type("New", (kind,), {})
    assert status_of(an_error(new)) == status_of(an_error(kind))


def test_what_was_not_foreseen_is_internal_and_says_nothing() -> None:
    code, text, metadata = status_of(KeyError("a secret"))
    assert code is grpc.StatusCode.INTERNAL
    assert "secret" not in text
    assert metadata == ()


def test_a_full_quota_is_no_outage_that_passes() -> None:
    code, details, metadata = status_of(QuotaExceeded("the catalogue may take 4 MiB"))
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*metadata), details)
    problem = problem_of(error, "ingest")
    assert (problem.kind.status, problem.detail) == (403, "the catalogue may take 4 MiB")
