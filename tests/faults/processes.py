"""Doing things to processes of the stack that its supervisor does not do."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

import grpc

from infra.local.errors import StackError
from infra.local.processes import probes
from infra.local.processes.supervision import Supervisor
from infra.local.stack import Stack
from tests.eventually import eventually

_POLL_SECONDS = 0.1


def pid_of(stack: Stack, name: str) -> int:
    return Supervisor(stack.settings).processes()[name].pid


@contextmanager
def paused(stack: Stack, name: str) -> Iterator[None]:
    """It keeps its connections and does nothing, as in a long pause of a machine."""
    pid = pid_of(stack, name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def keep_killing(stack: Stack, names: Sequence[str], seconds: float) -> None:
    """SIGKILL, and again whenever the supervisor has started them."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        for name in names:
            with suppress(StackError, ProcessLookupError):
                stack.kill(name)
        time.sleep(_POLL_SECONDS)


def await_work(stack: Stack, names: Sequence[str], within_seconds: float = 60.0) -> None:
    """Until these recommenders or gateways do their work, as their own health tells."""
    for name in names:
        port = getattr(stack.settings.ports, name.replace("-", "_"))
        works = gateway_works if name.startswith("gateway") else service_works
        eventually(partial(works, port), within_seconds)


def service_works(port: int) -> bool:
    with suppress(grpc.RpcError, probes.NotServing):
        probes.grpc_health(f"127.0.0.1:{port}")
        return True
    return False


def gateway_works(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=3)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    return False
