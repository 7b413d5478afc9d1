"""Rate limits of callers: of each key, of each source address with a public key, of wrong keys.

A key of a server is one caller however many addresses it has, and many shops' servers may share one
address. A public key is every shopper's, so there it is the address that tells them apart.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from starlette.requests import HTTPConnection
from starlette.types import Scope

from recsys.auth.api_keys import ApiKey
from recsys.auth.rate_limiter import RateExceeded, RateLimiter
from recsys.config.settings import Network
from recsys.config.shop import RequestLimits
from recsys.core.wording import pluralize
from services.gateway.schemas.problems import TOO_MANY_REQUESTS, ProblemError

# Who has one address of IPv6 has as many as a network of this size holds.
_IPV6_PREFIX = 64


class ClientSource:
    """Names the source of a request: an address of IPv4, or a network of IPv6.

    Args:
        trusted: the balancers whose X-Forwarded-For is believed. They take away what a client says
            about itself; from anybody else the header may be made up.
    """

    def __init__(self, trusted: Collection[Network]) -> None:
        self._trusted = trusted

    def of(self, request: HTTPConnection) -> str:
        peer = _address(request.client.host) if request.client else None
        if peer is None:
            return "unknown"
        told = request.headers.getlist("X-Forwarded-For")
        if told and any(peer in network for network in self._trusted):
            # The balancer names last whom it talked to itself.
            return _bucket(_address(told[-1].rpartition(",")[2].strip()) or peer)
        return _bucket(peer)


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # What IPv4 looks like where IPv6 listens for both.
    return getattr(address, "ipv4_mapped", None) or address


def _bucket(address: _Address) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address.packed, _IPV6_PREFIX), strict=False))


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


# A person who mistypes a key never meets this; a program in a loop does within a second.
FAILURES_AT_ONCE = 10
SECONDS_PER_FAILURE = 6.0
# Some 2 MB at most, however many addresses take part.
MAX_SOURCES = 10_000


class FailedKeys:
    """Slows those down who send wrong keys: a bucket of failures a source, refilled with time.

    A key that is right is always answered: behind one address there may be many callers, of whom
    one is misconfigured. Guessing is hopeless whatever its pace, for a key is 256 random bits; this
    spares the gateway and its log the noise, and tells a program gone wrong when to come again.

    Args:
        trusted: see `ClientSource`.
    """

    def __init__(
        self, trusted: Collection[Network], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = ClientSource(trusted)
        self._clock = clock
        # When a source's bucket is full again; those that failed last come last.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def note(self, request: HTTPConnection) -> int | None:
        """Count a failure; the seconds to wait if its source has failed too often lately."""
        source, now = self._source.of(request), self._clock()
        full_at = max(self._full_at.pop(source, now), now)
        refused = full_at - now > (FAILURES_AT_ONCE - 1) * SECONDS_PER_FAILURE
        # What is refused costs nothing more: waiting as told is enough, also for the impatient.
        self._full_at[source] = full_at if refused else full_at + SECONDS_PER_FAILURE
        if len(self._full_at) > MAX_SOURCES:
            self._full_at.popitem(last=False)
        if not refused:
            return None
        return math.ceil(full_at - now - (FAILURES_AT_ONCE - 1) * SECONDS_PER_FAILURE)
