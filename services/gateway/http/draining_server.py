"""Stopping without losing a request: first out of the load balancer, then finish, then exit."""

import asyncio
import signal
from types import FrameType

import structlog
import uvicorn

from services.gateway.http.readiness import Readiness

_log = structlog.get_logger()


class DrainingServer(uvicorn.Server):
    """A server that, told to stop, goes on serving until the load balancer has noticed.

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
