"""Slowing down those who send wrong keys, by where they come from.

A key that is right is always answered: behind one address there may be many callers, of whom one is
misconfigured. Guessing is hopeless whatever its pace, for a key is 256 random bits; this spares the
gateway and its log the noise, and tells a program gone wrong when to come again.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from starlette.requests import HTTPConnection

from recsys.config.settings import Network

# A person who mistypes a key never meets this; a program in a loop does within a second.
FAILURES_AT_ONCE = 10
SECONDS_PER_FAILURE = 6.0
# Some 2 MB at most, however many addresses take part.
MAX_SOURCES = 10_000
# Who has one address of IPv6 has as many as a network of this size holds.
_IPV6_PREFIX = 64


class FailedKeys:
    """A bucket of allowed failures for each source, refilled as time goes by.

    Args:
        trusted: the balancers whose X-Forwarded-For is believed. They take away what a client says
            about itself; from anybody else the header may be made up.
    """

    def __init__(
        self, trusted: Collection[Network], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._trusted = trusted
        self._clock = clock
        # When a source's bucket is full again; those that failed last come last.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def note(self, request: HTTPConnection) -> int | None:
        """Count a failure; the seconds to wait if its source has failed too often lately."""
        source, now = self._source(request), self._clock()
        full_at = max(self._full_at.pop(source, now), now)
        refused = full_at - now > (FAILURES_AT_ONCE - 1) * SECONDS_PER_FAILURE
        # What is refused costs nothing more: waiting as told is enough, also for the impatient.
        self._full_at[source] = full_at if refused else full_at + SECONDS_PER_FAILURE
        if len(self._full_at) > MAX_SOURCES:
            self._full_at.popitem(last=False)
        if not refused:
            return None
        return math.ceil(full_at - now - (FAILURES_AT_ONCE - 1) * SECONDS_PER_FAILURE)

    def _source(self, request: HTTPConnection) -> str:
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
