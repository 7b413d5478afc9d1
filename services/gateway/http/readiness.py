"""Readiness: should a load balancer send requests here? And stopping without losing any."""

import asyncio
import signal
from collections.abc import Mapping
from types import FrameType
from typing import Protocol

import structlog
import uvicorn

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


_log = structlog.get_logger()


class DrainingServer(uvicorn.Server):
    """A server that, told to stop, goes on until the load balancer has noticed, then finishes.

    Args:
        notice_seconds: how long /readyz says no before connections are closed.
    """

    def __init__(self, config: uvicorn.Config, readiness: Readiness, notice_seconds: float) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._notice_seconds = notice_seconds
        self._draining = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On the first signal drain, on a second one stop at once. Both end in a normal exit."""
        del frame
        if self._draining:
            self.should_exit = True
            return
        self._draining = True
        self._readiness.drain()
        # Signals come between any two steps of the loop.
        asyncio.get_running_loop().call_soon_threadsafe(self._stop_later)
        _log.info("draining", signal=signal.Signals(sig).name)

    def _stop_later(self) -> None:
        asyncio.get_running_loop().call_later(self._notice_seconds, self._stop)

    def _stop(self) -> None:
        self.should_exit = True
