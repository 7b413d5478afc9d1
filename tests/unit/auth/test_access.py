"""Every RPC has its scope, and no other answers."""

from datetime import UTC, datetime

import grpc
import pytest

from recsys.auth.access import RPC_SCOPES
from recsys.auth.api_keys import PUBLIC_SCOPES, KeyRing, Scope, new_key
from recsys.auth.rate_limiter import RateLimiter
from recsys.auth.rpc_access import RpcAccess, rpc_access
from recsys.config.address import Address
from recsys.config.settings import GrpcServiceSettings
from recsys.config.shop import RequestLimits
from recsys.core.errors import PermissionDenied, TooManyRequests, Unauthenticated
from recsys.rpc.v1 import ingest_pb2, recommender_pb2
from recsys.runtime.grpc.errors import status_of

MADE = datetime(2026, 1, 1, tzinfo=UTC)
TOKEN = "0123456789abcdef"  # noqa: S105  # of these tests
RECORD = "/recsys.rpc.v1.IngestService/RecordEvents"
STREAM = "/recsys.rpc.v1.RecommenderService/StreamAnswers"


def test_every_rpc_has_a_scope() -> None:
    services = [
        service
        for module in (ingest_pb2, recommender_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
    ]
    named = {f"/{service.full_name}/{rpc.name}" for service in services for rpc in service.methods}
    assert named == RPC_SCOPES.keys()


def an_access(keys: KeyRing | None) -> RpcAccess:
    return RpcAccess(TOKEN, keys, lambda _: RequestLimits(), RateLimiter())


def call(method: str, scopes: list[Scope], tenant: str = "shop", key_tenant: str = "shop") -> None:
    key, text = new_key(key_tenant, scopes, MADE)
    request = ingest_pb2.RecordEventsRequest(tenant=tenant)
    an_access(KeyRing([key]))(method, request, [("x-api-key", text)])


@pytest.mark.parametrize("method", [rpc for rpc, scope in RPC_SCOPES.items() if scope])
def test_a_key_needs_the_scope_of_each_rpc_and_its_own_tenant(method: str) -> None:
    scope = RPC_SCOPES[method]
    assert scope
    call(method, [scope])
    with pytest.raises(PermissionDenied, match=f"lacks the scope '{scope.value}'"):
        call(method, [each for each in Scope if each is not scope])
    with pytest.raises(PermissionDenied, match="not of this tenant"):
        call(method, list(Scope), tenant="other")


def test_an_unknown_rpc_and_the_stream_of_gateways_are_for_no_key() -> None:
    for method in (STREAM, "/recsys.rpc.v1.IngestService/Whatever"):
        with pytest.raises(PermissionDenied, match="only gateways"):
            call(method, list(Scope))


@pytest.mark.parametrize(
    "metadata",
    [[], [("x-api-key", "rk_ab_cd")], [("x-service-token", "wrong")], [("x-service-token", "")]],
)
def test_strangers_call_nothing_but_health(metadata: list[tuple[str, str]]) -> None:
    access = an_access(KeyRing([]))
    access("/grpc.health.v1.Health/Check", None, metadata)
    for method in RPC_SCOPES:
        with pytest.raises(Unauthenticated):
            access(method, None, metadata)


def test_a_gateway_calls_everything() -> None:
    for method in RPC_SCOPES:
        an_access(None)(method, None, [("x-service-token", TOKEN)])


def test_a_service_without_a_token_is_open_as_before() -> None:
    settings = GrpcServiceSettings(listen=Address("127.0.0.1", 0))
    assert rpc_access(settings, lambda: None, lambda _: RequestLimits()) is None


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 ASCII characters"):
        GrpcServiceSettings(listen=Address("127.0.0.1", 0), service_token="short")  # noqa: S106


def test_a_public_key_calls_no_rpc() -> None:
    key, text = new_key("shop", PUBLIC_SCOPES, MADE, public=True)
    request = ingest_pb2.RecordEventsRequest(tenant="shop")
    with pytest.raises(PermissionDenied, match="for browsers"):
        an_access(KeyRing([key]))(RECORD, request, [("x-api-key", text)])


def test_a_key_that_calls_too_often_is_told_to_wait() -> None:
    key, text = new_key("shop", Scope, MADE, requests_per_second=1)
    access, request = an_access(KeyRing([key])), ingest_pb2.RecordEventsRequest(tenant="shop")
    for _ in range(2):
        access(RECORD, request, [("x-api-key", text)])
    with pytest.raises(TooManyRequests, match="wait") as caught:
        access(RECORD, request, [("x-api-key", text)])
    code, _, metadata = status_of(caught.value)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert metadata == (("retry-after-ms", "1000"),)
