"""A gRPC server on an event loop, for services that never block."""

import asyncio
import signal

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc

from recsys.config.address import Address
from recsys.runtime.grpc.guard import AsyncGuard, Authorize, allow_all
from recsys.runtime.grpc.server import (
    NOT_SERVING,
    SERVER_OPTIONS,
    SERVING,
    WHOLE_SERVER,
    bind,
    enable_reflection,
)
from recsys.runtime.metrics import RequestMetrics

_log = structlog.get_logger()


class AsyncServer:
    """Not serving, by its health, until told otherwise. Make it inside the running event loop.

    Attributes:
        grpc: the server that servicers are added to.
    """

    def __init__(
        self,
        service: str,
        max_calls: int,
        requests: RequestMetrics,
        *,
        reflection: bool,
        authorize: Authorize | None = None,
    ) -> None:
        self.grpc = grpc.aio.server(
            interceptors=[AsyncGuard(requests, authorize or allow_all)],
            options=SERVER_OPTIONS,
            maximum_concurrent_rpcs=max_calls,
        )
        self._service = service
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]  # missing in the stubs
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)
        if reflection:
            enable_reflection(self.grpc, service)

    async def set_serving(self, serving: bool) -> None:
        """Say by the health service whether clients should send requests here."""
        for name in (self._service, WHOLE_SERVER):
            await self._health.set(name, SERVING if serving else NOT_SERVING)

    async def set_part_serving(self, part: str, serving: bool) -> None:
        """Say the same of a part, whose health is asked for as SERVICE/PART."""
        await self._health.set(f"{self._service}/{part}", SERVING if serving else NOT_SERVING)

    async def start(self, address: Address) -> int:
        """Listen and return the port.

        Raises:
            ConfigurationError: when the address cannot be had.
        """
        await self.set_serving(False)
        port = bind(self.grpc, address)
        await self.grpc.start()
        _log.info("server_started", address=str(Address(address.host, port)))
        return port

    async def stop(self, drain_seconds: float) -> None:
        """Turn clients away, let calls under way finish for up to `drain_seconds`."""
        await self._health.enter_graceful_shutdown()
        await self.grpc.stop(drain_seconds)
        _log.info("server_stopped")


async def stop_signal() -> None:
    """Wait for SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
