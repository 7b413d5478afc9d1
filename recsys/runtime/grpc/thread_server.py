"""A gRPC server on a pool of threads, for services whose stores block."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc

from recsys.config.address import Address
from recsys.runtime.grpc.guard import Authorize, ThreadGuard, allow_all
from recsys.runtime.grpc.server import (
    NOT_SERVING,
    SERVER_OPTIONS,
    SERVING,
    WHOLE_SERVER,
    bind,
    enable_reflection,
)
from recsys.runtime.metrics import RequestMetrics

# Gateways that watch this server's health: each holds a thread, asleep, on a pool of their own.
_MAX_WATCHERS = 128
# Calls waiting for a thread; more are refused at once instead of queueing past their deadline.
_WAITING_CALLS_PER_THREAD = 16
MAX_WAIT_SECONDS = 0.5

_log = structlog.get_logger()


class ThreadServer:
    """Not serving, by its health, until told otherwise.

    Attributes:
        grpc: the server that servicers are added to.
    """

    def __init__(
        self,
        service: str,
        threads: int,
        requests: RequestMetrics,
        *,
        reflection: bool,
        authorize: Authorize | None = None,
    ) -> None:
        self.grpc = grpc.server(
            ThreadPoolExecutor(threads, thread_name_prefix="rpc"),
            interceptors=[ThreadGuard(requests, MAX_WAIT_SECONDS, authorize or allow_all)],
            options=SERVER_OPTIONS,
            maximum_concurrent_rpcs=threads * (1 + _WAITING_CALLS_PER_THREAD),
        )
        self._service = service
        # Watchers block on threads, which is not grpcio's default: that one sends the state to a
        # watcher with its lock held and waits until it is sent; a watcher that leaves at that
        # moment waits for the lock on the thread that would report it sent, and nothing more is
        # served.
        self._health = health.HealthServicer(
            experimental_non_blocking=False,
            experimental_thread_pool=ThreadPoolExecutor(_MAX_WATCHERS, "health-watch"),
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)
        self.set_serving(False)
        if reflection:
            enable_reflection(self.grpc, service)

    def set_serving(self, serving: bool) -> None:
        """Say by the health service whether clients should send requests here."""
        for name in (self._service, WHOLE_SERVER):
            self._health.set(name, SERVING if serving else NOT_SERVING)

    def start(self, address: Address) -> int:
        """Listen and return the port.

        Raises:
            ConfigurationError: when the address cannot be had.
        """
        port = bind(self.grpc, address)
        self.grpc.start()
        _log.info("server_started", address=str(Address(address.host, port)))
        return port

    def stop(self, drain_seconds: float) -> None:
        """Turn clients away, let calls under way finish for up to `drain_seconds`."""
        self._health.enter_graceful_shutdown()
        self.grpc.stop(drain_seconds).wait()
        _log.info("server_stopped")


def wait_for_stop_signal() -> None:
    """Block the main thread until SIGTERM or SIGINT."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
