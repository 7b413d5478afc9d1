"""Requests at a steady pace while something happens to the stack: an open loop.

Each is due at its own time, whatever became of those before it, and its latency counts from then.
A driver that waited for answers would ask less just when the stack is slow, and not see it.
"""

import multiprocessing
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from tests.e2e.load_driver import WAIT_SECONDS, Answered, Plan, Request, drive
from tests.e2e.shop import Shop
from tests.eventually import eventually

_OK = 200
_STARTED_WITHIN_SECONDS = 30


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


def questions(paths: Iterable[str]) -> list[Request]:
    return [Request(path) for path in paths]


@contextmanager
def load(
    shop: Shop, requests: Sequence[Request], per_second: float, url: str | None = None
) -> Iterator[Load]:
    """Send these requests in turn until the block ends, and wait for the last answer.

    A process of its own sends them: what the test does meanwhile must not hold them up.

    Args:
        url: of a gateway of the test's own; the stack's balancer when left out.
    """
    found = Load()
    plan = Plan(url or shop.stack.settings.url, shop.key, requests, per_second)
    # Not forked: gRPC and its threads would not survive that.
    start = multiprocessing.get_context("spawn")
    ours, theirs = start.Pipe()
    driver = start.Process(target=drive, args=(plan, theirs), name="load")
    driver.start()
    theirs.close()
    assert ours.poll(_STARTED_WITHIN_SECONDS)
    reader = threading.Thread(target=_collect, args=(ours, found), name="load")
    reader.start()
    try:
        yield found
    finally:
        ours.send(None)
        reader.join(timeout=2 * WAIT_SECONDS)
        driver.join(timeout=10)
        driver.kill()
        ours.close()
    assert driver.exitcode == 0


def _collect(connection: Connection, found: Load) -> None:
    try:
        while True:
            found.answered += connection.recv()
    except EOFError:
        return
