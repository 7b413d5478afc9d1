"""Readiness: should a load balancer send requests here?"""

from collections.abc import Mapping
from typing import Protocol

READY = "ready"


class Dependency(Protocol):
    name: str

    def state(self) -> str:
        """READY, alone or before a remark, where it can answer; or what keeps it from that."""


class Readiness:
    """Ready while any part behind answers, until told to drain.

    One part that is down fails its own routes only: without the recommender events still come in,
    and a new shop must be able to send its catalogue before the first model exists. A gateway that
    left the balancer for that would take the working routes with it.
    """

    def __init__(self, *backends: Dependency) -> None:
        self._backends = backends
        self._draining = False

    def drain(self) -> None:
        """Say from now on that requests should go elsewhere."""
        self._draining = True

    def parts(self) -> Mapping[str, str]:
        return {backend.name: backend.state() for backend in self._backends}

    def is_ready(self, parts: Mapping[str, str]) -> bool:
        return not self._draining and any(state.startswith(READY) for state in parts.values())
