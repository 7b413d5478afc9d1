"""Resolve the addresses of replicas, again and again: they come and go."""

import asyncio
import socket

from recsys.config.address import Address, parse_address
from recsys.core.errors import ConfigurationError

# How long a new replica may stay unknown.
LOOKUP_SECONDS = 2.0


class ReplicaAddresses:
    """The addresses behind a target.

    Args:
        target: "dns:///HOST:PORT" for all addresses of a name, "ipv4:A:PORT,B:PORT" for fixed ones.

    Raises:
        ConfigurationError: when it is neither.
    """

    def __init__(self, target: str) -> None:
        scheme, _, rest = target.partition(":")
        self._is_name = scheme == "dns"
        if scheme not in ("dns", "ipv4"):
            raise ConfigurationError(
                f"RECSYS_RECOMMENDER_TARGET is {target!r}: use dns:///HOST:PORT, "
                "or ipv4:ADDRESS:PORT,ADDRESS:PORT"
            )
        try:
            self._fixed = [parse_address(each) for each in rest.lstrip("/").split(",")]
        except ValueError as error:
            raise ConfigurationError(f"RECSYS_RECOMMENDER_TARGET: {error}") from None

    async def look_up(self) -> frozenset[str]:
        """As "HOST:PORT". Raises OSError when a name is not known."""
        if not self._is_name:
            return frozenset(map(str, self._fixed))
        found: set[str] = set()
        for address in self._fixed:
            answers = await asyncio.get_running_loop().getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM
            )
            found.update(str(Address(str(answer[4][0]), address.port)) for answer in answers)
        return frozenset(found)
