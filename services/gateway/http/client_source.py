"""The address that a request comes from, as far as it can be believed."""

import ipaddress
from collections.abc import Collection

from starlette.requests import HTTPConnection

from recsys.config.settings import Network

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
