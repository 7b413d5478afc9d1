"""The process that sends the requests of `tests.e2e.load`."""

import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

import uvloop

from tests.e2e.keep_alive import Connections, Response

WAIT_SECONDS = 15
_REPORT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answered:
    """Result of one request.

    Attributes:
        due: when it should have been sent, by `time.monotonic`.
        seconds: from then to the end of the answer.
        late_seconds: how much of that passed before it was sent, for which the driver is to blame.
        response: of status 0 when no answer came.
    """

    number: int
    request: Request
    due: float
    seconds: float
    late_seconds: float
    response: Response

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def body(self) -> Any:
        return json.loads(self.response.body)

    @property
    def request_id(self) -> str:
        return request_id(self.number)


def request_id(number: int) -> str:
    return f"load-{number}"


@dataclass(frozen=True)
class Plan:
    """Requests to send, and their rate."""

    url: str
    key: str
    requests: Sequence[Request]
    per_second: float


def drive(plan: Plan, connection: Connection) -> None:
    """Send until something is received; report answers now and then, as lists."""
    # Beside the event loop: a parent that is slow to read must not hold the requests up.
    with (
        ThreadPoolExecutor(1) as reporting,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_Driver(plan, connection, reporting).run())


@dataclass
class _Driver:
    plan: Plan
    connection: Connection
    reporting: ThreadPoolExecutor
    answered: list[Answered] = field(default_factory=list)

    async def run(self) -> None:
        address = urlsplit(self.plan.url)
        assert address.hostname is not None
        assert address.port is not None
        connections = Connections(address.hostname, address.port, {"X-API-Key": self.plan.key})
        self._report()
        async with asyncio.TaskGroup() as asked:
            await self._send(connections, asked)
        connections.close()
        self._report()

    async def _send(self, connections: Connections, asked: asyncio.TaskGroup) -> None:
        started = reported = time.monotonic()
        for number, request in enumerate(itertools.cycle(self.plan.requests)):
            due = started + number / self.plan.per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked.create_task(self._ask(connections, number, request, due))
            if due - reported > _REPORT_SECONDS:
                reported = due
                self._report()
                if self.connection.poll():
                    self.connection.recv()
                    return

    def _report(self) -> None:
        self.reporting.submit(self.connection.send, self.answered)
        self.answered = []

    async def _ask(
        self, connections: Connections, number: int, request: Request, due: float
    ) -> None:
        late_seconds = time.monotonic() - due
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                response = await connections.ask(
                    request.method, request.path, request.body, request_id(number)
                )
        except OSError:
            # A timeout is one, too.
            response = Response()
        seconds = time.monotonic() - due
        self.answered.append(Answered(number, request, due, seconds, late_seconds, response))
