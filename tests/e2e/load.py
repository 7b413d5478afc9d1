"""Requests at a steady pace while something happens to the stack: an open loop.

Each is due at its own time, whatever became of those before it, and its latency counts from then.
A driver that waited for answers would ask less just when the stack is slow, and not see it.
"""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvloop

from tests.e2e.keep_alive import Connections, Response
from tests.e2e.shop import Shop
from tests.eventually import eventually

_WAIT_SECONDS = 15
_OK = 200


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request.

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


@dataclass
class Load:
    """The answers so far, as they came."""

    answered: list[Answered] = field(default_factory=list)

    def await_more(self, count: int) -> None:
        """Until that many further requests have been answered."""
        until = len(self.answered) + count
        eventually(lambda: len(self.answered) >= until, within_seconds=60)

    def failures(self) -> list[Answered]:
        return [one for one in self.answered if one.status != _OK]


def in_turn(paths: Iterable[str]) -> Iterator[Request]:
    """Ask for these paths again and again."""
    return itertools.cycle([Request(path) for path in paths])


@contextmanager
def load(
    shop: Shop, requests: Iterator[Request], per_second: float, url: str | None = None
) -> Iterator[Load]:
    """Send these requests until the block ends, and wait for the last answer.

    Args:
        url: of a gateway of the test's own; the stack's balancer when left out.
    """
    found, ended = Load(), threading.Event()
    address = urlsplit(url or shop.stack.settings.url)
    assert address.hostname is not None
    assert address.port is not None
    connections = Connections(address.hostname, address.port, {"X-API-Key": shop.key})
    driver = _Driver(connections, found, ended.is_set)

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(driver.send(requests, per_second))

    with ThreadPoolExecutor(1, thread_name_prefix="load") as thread:
        sending = thread.submit(run)
        try:
            yield found
        finally:
            ended.set()
            sending.result(timeout=2 * _WAIT_SECONDS)


@dataclass(frozen=True)
class _Driver:
    connections: Connections
    found: Load
    ended: Callable[[], bool]

    async def send(self, requests: Iterator[Request], per_second: float) -> None:
        started = time.monotonic()
        async with asyncio.TaskGroup() as asked:
            for number, request in enumerate(requests):
                due = started + number / per_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if self.ended():
                    break
                asked.create_task(self._ask(number, request, due))
        self.connections.close()

    async def _ask(self, number: int, request: Request, due: float) -> None:
        late_seconds = time.monotonic() - due
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                response = await self.connections.ask(
                    request.method, request.path, request.body, request_id(number)
                )
        except OSError:
            # A timeout is one, too.
            response = Response()
        seconds = time.monotonic() - due
        self.found.answered.append(Answered(number, request, due, seconds, late_seconds, response))
