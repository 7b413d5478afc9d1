"""Who may call which RPC: gateways by a secret they share, others by an API key of their shop."""

import hmac
from collections.abc import Callable, Iterable
from typing import Protocol

from recsys.auth.access import RPC_SCOPES
from recsys.auth.api_keys import ApiKey
from recsys.auth.key_reload import WatchedKeyRing
from recsys.auth.rate_limiter import RateLimiter
from recsys.config.settings import GrpcServiceSettings
from recsys.config.shop import RequestLimits
from recsys.core.errors import PermissionDenied, TooManyRequests, Unauthenticated
from recsys.core.wording import pluralize

SERVICE_TOKEN_KEY = "x-service-token"  # noqa: S105  # the name, not the secret
API_KEY_KEY = "x-api-key"
# Health checks and reflection; they know nothing of shops.
_FOREIGN = "/grpc."


class _Keys(Protocol):
    def authenticate(self, text: str) -> ApiKey | None: ...

    def follow(self) -> None: ...


class RpcAccess:
    """Refuses calls of callers that may not make them.

    Args:
        service_token: the secret of gateways, who have checked their callers themselves.
        keys: of callers without it; None where only gateways may call.
        limits_of: a shop's, for keys without a limit of their own.
    """

    def __init__(
        self,
        service_token: str,
        keys: _Keys | None,
        limits_of: Callable[[str], RequestLimits],
        limiter: RateLimiter,
    ) -> None:
        self._service_token = service_token.encode()
        self._keys = keys
        self._limits_of = limits_of
        self._limiter = limiter

    def __call__(
        self, method: str, request: object, metadata: Iterable[tuple[str, str | bytes]]
    ) -> None:
        """Let a call pass, or raise.

        Args:
            method: its full name.
            request: its message; None of a stream, which holds many.

        Raises:
            Unauthenticated: the caller has neither the token nor a key that is valid.
            PermissionDenied: the key lacks the scope, or is another shop's.
            TooManyRequests: the key's rate limit is exceeded.
        """
        if method.startswith(_FOREIGN):
            return
        told = dict(metadata)
        if hmac.compare_digest(_bytes(told.get(SERVICE_TOKEN_KEY, "")), self._service_token):
            return
        text = told.get(API_KEY_KEY)
        key = self._keys.authenticate(text) if self._keys and isinstance(text, str) else None
        if key is None:
            raise Unauthenticated(f"send a valid API key as {API_KEY_KEY}")
        self._limit(key)
        self._check(method, request, key)

    def follow(self) -> None:
        """Follow the file of keys, if there is one."""
        if self._keys:
            self._keys.follow()

    def _limit(self, key: ApiKey) -> None:
        rate = key.requests_per_second or self._limits_of(key.tenant).requests_per_second
        refused = self._limiter.take(key.key_id, rate)
        if refused is not None:
            wait = refused.retry_after_seconds
            raise TooManyRequests(
                f"this key calls too often: wait {pluralize(wait, 'second')}", wait
            )

    def _check(self, method: str, request: object, key: ApiKey) -> None:
        if key.is_public:
            raise PermissionDenied("a public key is for browsers: use it with the REST API")
        scope = RPC_SCOPES.get(method)
        if scope is None:
            raise PermissionDenied("only gateways may call this")
        if scope not in key.scopes:
            raise PermissionDenied(f"this key lacks the scope {scope.value!r}")
        if getattr(request, "tenant", None) != key.tenant:
            raise PermissionDenied("this key is not of this tenant")


def rpc_access(
    settings: GrpcServiceSettings,
    on_refused: Callable[[], None],
    limits_of: Callable[[str], RequestLimits],
) -> RpcAccess | None:
    """The access that the settings ask for; None: whoever reaches the service may call it.

    Args:
        on_refused: called for every change of the file of keys that was not taken.
        limits_of: see `RpcAccess`.

    Raises:
        ConfigurationError: the file of keys cannot be read.
    """
    token = settings.service_token.get_secret_value()
    if not token:
        return None
    keys = WatchedKeyRing(settings.api_keys, on_refused) if settings.api_keys else None
    return RpcAccess(token, keys, limits_of, RateLimiter())


def _bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
