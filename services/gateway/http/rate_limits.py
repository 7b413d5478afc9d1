"""Rate limits of callers: of each key, and of each source address with a public key.

A key of a server is one caller however many addresses it has, and many shops' servers may share one
address. A public key is every shopper's, so there it is the address that tells them apart.
"""

from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.types import Scope

from recsys.auth.api_keys import ApiKey
from recsys.auth.rate_limiter import RateExceeded, RateLimiter
from recsys.config.shop import RequestLimits
from recsys.core.wording import pluralize
from services.gateway.http.client_source import ClientSource
from services.gateway.schemas.problems import TOO_MANY_REQUESTS, ProblemError


class RateLimits:
    """The limits of one gateway.

    Args:
        limits_of: a shop's, for keys without a limit of their own.
    """

    def __init__(
        self, limiter: RateLimiter, source: ClientSource, limits_of: Callable[[str], RequestLimits]
    ) -> None:
        self._limiter = limiter
        self._source = source
        self._limits_of = limits_of

    def check(self, key: ApiKey, scope: Scope) -> None:
        """Count a request.

        Raises:
            ProblemError: it is one too many, and when to come again.
        """
        limits = self._limits_of(key.tenant)
        if key.is_public:
            bucket = f"{key.tenant} {self._source.of(HTTPConnection(scope))}"
            refused = self._limiter.take(bucket, limits.browser_requests_per_second)
            if refused is not None:
                raise _too_many(refused, "source")
        rate = key.requests_per_second or limits.requests_per_second
        refused = self._limiter.take(key.key_id, rate)
        if refused is not None:
            raise _too_many(refused, "key")


def _too_many(refused: RateExceeded, policy: str) -> ProblemError:
    wait = refused.retry_after_seconds
    whose = "this key" if policy == "key" else "this address"
    return ProblemError(
        TOO_MANY_REQUESTS,
        f"{whose} may ask {pluralize(refused.quota, 'time')} in"
        f" {pluralize(refused.window_seconds, 'second')}: wait {wait}",
        # The fields of draft-ietf-httpapi-ratelimit-headers.
        headers={
            "Retry-After": str(wait),
            "RateLimit-Policy": f'"{policy}";q={refused.quota};w={refused.window_seconds}',
            "RateLimit": f'"{policy}";r=0;t={wait}',
        },
    )
