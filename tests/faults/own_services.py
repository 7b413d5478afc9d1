"""A recommender and a gateway of a test's own beside those of the stack, told other things."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from benchmarks.free_port import free_port
from infra.local.processes.program import python_module
from infra.local.servers.environment import for_services
from infra.local.stack import Stack
from tests.eventually import eventually
from tests.faults.metrics import metric
from tests.faults.processes import gateway_works, service_works

_STOP_SECONDS = 20


class OwnServices:
    """One of each, on the stores and keys of the stack.

    Args:
        with_ingest: an ingest service of its own, too, for one that is told other things.
        environment: what both are told beside, or instead of, what the stack's are.

    Attributes:
        url: of the gateway, without a balancer before it.
        recommender_address: HOST:PORT.
    """

    def __init__(
        self, stack: Stack, logs: Path, *, with_ingest: bool = False, **environment: str
    ) -> None:
        self._shared = {**os.environ, **for_services(stack.settings), **environment}
        self._logs = logs
        self._recommender, self._gateway = free_port(), free_port()
        self.recommender_address = f"127.0.0.1:{self._recommender}"
        self.url = f"http://127.0.0.1:{self._gateway}"
        self._ingest = free_port() if with_ingest else None
        if self._ingest:
            self._shared["RECSYS_INGEST_TARGET"] = f"ipv4:127.0.0.1:{self._ingest}"
        self._running = ExitStack()

    def __enter__(self) -> "OwnServices":
        with ExitStack() as running:
            target = {"RECSYS_RECOMMENDER_TARGET": f"ipv4:{self.recommender_address}"}
            notice = {"RECSYS_DRAIN_NOTICE_SECONDS": "0.1"}
            running.callback(self._start("recommender", self._recommender, {}))
            if self._ingest:
                running.callback(self._start("ingest", self._ingest, {}))
                eventually(partial(service_works, self._ingest), within_seconds=30)
            eventually(lambda: service_works(self._recommender), within_seconds=30)
            running.callback(self._start("gateway", self._gateway, target | notice))
            eventually(lambda: gateway_works(self._gateway), within_seconds=30)
            self._running = running.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._running.close()

    def metric(self, name: str, **labels: str) -> float:
        """Of the gateway, see `metric`."""
        return metric(f"{self.url}/metrics", name, **labels)

    def _start(self, name: str, port: int, told: Mapping[str, str]) -> Callable[[], None]:
        """Returns what stops it."""
        own = {"RECSYS_LISTEN": f"127.0.0.1:{port}", "RECSYS_INSTANCE": f"own-{name}"}
        log = (self._logs / f"{name}.log").open("w")
        process = subprocess.Popen(
            python_module(f"services.{name}"),
            env={**self._shared, **told, **own, "PYTHONFAULTHANDLER": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )

        def stop() -> None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                # Python then writes to the log where each thread stands.
                process.send_signal(signal.SIGABRT)
                process.wait(_STOP_SECONDS)
                lines = (self._logs / f"{name}.log").read_text("utf-8", errors="replace")
                raise AssertionError(f"{name} did not stop: {lines[-8000:]}") from None
            finally:
                process.kill()
                process.wait()
                log.close()

        return stop
